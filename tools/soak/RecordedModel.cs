using System.Globalization;
using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Tools.Soak;

/// <summary>What transformers recorded of a model on float32 libtorch: logits, hidden states, greedy texts, perplexities.</summary>
internal sealed class RecordedModel : IDisposable
{
    private const string File = "logits";
    private readonly Golden _golden;
    private readonly GoldenJson _reference;
    private readonly string? _textFolder;

    private RecordedModel(string folder, Golden golden, string? textFolder)
    {
        (Folder, _golden, _textFolder) = (folder, golden, textFolder);
        _reference = golden.Json("reference.json");
        Texts = [.. _reference["greedy"].Items.Select(text => new RecordedText(text))];
    }

    /// <summary>The model itself.</summary>
    public string Folder { get; }

    /// <summary>Greedy continuations.</summary>
    public IReadOnlyList<RecordedText> Texts { get; }

    /// <summary>The names of the recorded inputs.</summary>
    public IEnumerable<string> Inputs => Names(".input_ids");

    /// <summary>The names of the texts whose perplexity was recorded.</summary>
    public IEnumerable<string> PerplexityTexts => _reference.Has("perplexity") ? _reference["perplexity"].Members.Select(member => member.Name) : [];

    public static RecordedModel TinyAusten() => new(RepositoryFolder.At("models", "tiny-austen"), Golden.Open("tiny-austen"), textFolder: null);

    /// <param name="testModels">What <c>.ci/unpack-test-models</c> made.</param>
    public static RecordedModel SmolLm2(string testModels) => new(
        Path.Combine(testModels, "smollm2"), Golden.OpenFolder(Path.Combine(testModels, "smollm2-reference")), Path.Combine(testModels, "text"));

    /// <summary>How far our logits and hidden states are from the recorded ones of an input.</summary>
    public IReadOnlyList<Difference> Differences(CausalLanguageModel model, string input)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var ids = tensor(_golden.Int64s(File, input + ".input_ids").Values).unsqueeze(0);
        var logits = model.call(ids, null, null).Logits!;
        var differences = new List<Difference> { Compare(input + ".logits", logits) };
        var states = model.HiddenStates(ids);
        foreach (var name in Names("").Where(name => name.StartsWith(input + ".hidden_", StringComparison.Ordinal)))
        {
            var which = name[(input.Length + ".hidden_".Length)..];
            differences.Add(Compare(name, which == "last_normed" ? states[^1] : states[int.Parse(which, CultureInfo.InvariantCulture)]));
        }

        return differences;
    }

    /// <summary>The recorded perplexity of a text beside ours.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="name">One of <see cref="PerplexityTexts"/>.</param>
    public PerplexityPair Perplexity(CausalLanguageModel model, PretrainedTokenizer tokenizer, string name)
    {
        var recorded = _reference["perplexity"][name];
        var tokens = recorded["tokens"].AsInt32;
        var ids = tokenizer.Encode(TextOf(name, recorded)).Select(id => (long)id).Take(tokens + 1).ToArray();
        var windows = RecordedRun.Windows(ids, recorded.Has("window") ? recorded["window"].AsInt32 : tokens);
        try
        {
            var ours = Metrics.Perplexity(model, windows);
            var difference = (ours["eval_loss"] * (ids.Length - 1)) - recorded["nll_sum"].AsDouble;
            return new PerplexityPair(name, ids.Length - 1, recorded["ppl"].AsDouble, ours["perplexity"], difference);
        }
        finally
        {
            windows.ForEach(window => window.Dispose());
        }
    }

    public void Dispose() => _golden.Dispose();

    /// <summary>Of long inputs the last positions were recorded.</summary>
    private Difference Compare(string name, Tensor ours)
    {
        var values = _golden.Singles(File, name);
        var (recorded, positions) = (tensor(values.Values, values.Shape), values.Shape[0]);
        var last = ours.squeeze(0).narrow(0, ours.shape[1] - positions, positions);
        return new Difference(name, positions, (last - recorded).abs().max().item<float>());
    }

    /// <summary>A short text stands in the record; of a file the part that begins with the recorded words was read.</summary>
    private string TextOf(string name, GoldenJson recorded)
    {
        if (recorded.Has("text"))
        {
            return recorded["text"].AsString;
        }

        var text = System.IO.File.ReadAllText(Path.Combine(_textFolder!, name));
        return text[text.IndexOf(recorded["first_text"].AsString, StringComparison.Ordinal)..];
    }

    private IEnumerable<string> Names(string ending) => _golden.Tensors(File).Entries
        .Where(entry => entry.Name.EndsWith(ending, StringComparison.Ordinal))
        .Select(entry => entry.Name[..^ending.Length]);
}
