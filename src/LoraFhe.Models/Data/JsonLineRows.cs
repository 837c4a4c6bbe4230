using System.Text.Json;

namespace LoraFhe.Models;

/// <summary>Turns the lines of a JSON Lines file into rows.</summary>
internal sealed class JsonLineRows(string file, PretrainedTokenizer tokenizer, int maxLength)
{
    private readonly string? _end = tokenizer.EosTokenId is { } eos ? tokenizer.Decode([eos], skipSpecialTokens: false) : null;
    private readonly List<TextExample> _examples = [];
    private int _line;

    /// <summary>The rows so far.</summary>
    public IReadOnlyList<TextExample> Examples => _examples;

    /// <summary>Rows that had nothing to predict.</summary>
    public int Dropped { get; private set; }

    /// <summary>Takes the next line.</summary>
    /// <exception cref="InvalidDataException">The line is not an object with the fields of a row.</exception>
    public void Add(string line)
    {
        _line++;
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        NamedJson row = Parse(line);
        if (row.IsObject && row.TryGet("text", out NamedJson text))
        {
            Add(tokenizer.Encode(WithEnd(text.Text)), promptLength: 0);
        }
        else if (row.IsObject && row.TryGet("prompt", out NamedJson prompt) && row.TryGet("completion", out NamedJson completion))
        {
            IReadOnlyList<int> whole = tokenizer.Encode(WithEnd(prompt.Text + completion.Text));
            Add(whole, CommonPrefix(tokenizer.Encode(prompt.Text), whole));
        }
        else
        {
            throw new InvalidDataException(Errors.LineFields(file, _line));
        }
    }

    private NamedJson Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return new NamedJson($"{file} line {_line}", "", document.RootElement.Clone());
        }
        catch (JsonException)
        {
            // The parser's own message would quote the line.
            throw new InvalidDataException(Errors.LineNotJson(file, _line));
        }
    }

    private string WithEnd(string text) => _end is null || text.EndsWith(_end, StringComparison.Ordinal) ? text : text + _end;

    private void Add(IReadOnlyList<int> ids, int promptLength)
    {
        int[] kept = [.. ids.Take(maxLength)];
        int[] labels = [.. kept.Select((id, index) => index < promptLength ? TextDataset.IgnoreIndex : id)];

        // The first label is lost to the shift, so it alone trains nothing.
        if (labels.Skip(1).All(label => label == TextDataset.IgnoreIndex))
        {
            Dropped++;
        }
        else
        {
            _examples.Add(new TextExample(kept, labels));
        }
    }

    private static int CommonPrefix(IReadOnlyList<int> prompt, IReadOnlyList<int> whole) =>
        prompt.Zip(whole).TakeWhile(pair => pair.First == pair.Second).Count();
}
