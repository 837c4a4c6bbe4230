using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>A recorded language model: its folder is a model folder with inputs and outputs beside the weights.</summary>
internal sealed class RecordedModel : IDisposable
{
    private RecordedModel(string name)
    {
        Golden = Golden.Open("models/" + name);
        Model = CausalLanguageModel.FromPretrained(Golden.Folder);
    }

    public Golden Golden { get; }

    public CausalLanguageModel Model { get; }

    public IEnumerable<string> Cases => Golden.Expected["cases"].Items.Select(one => one["name"].AsString);

    public static RecordedModel Open(string name) => new(name);

    /// <summary>Loads a case's model, a language model or a classifier.</summary>
    public static PretrainedModel Load(Golden golden) => golden.Expected["class"].AsString.EndsWith("ForSequenceClassification", StringComparison.Ordinal)
        ? SequenceClassifier.FromPretrained(golden.Folder)
        : CausalLanguageModel.FromPretrained(golden.Folder);

    public GoldenJson Case(string name) => Golden.Expected["cases"].Items.Single(one => one["name"].AsString == name);

    public Tensor Ids(string name) => Golden.Int64Tensor("io", name + ".input_ids");

    public Tensor Mask(string name) => Golden.Int64Tensor("io", name + ".attention_mask");

    public Tensor Labels(string name) => Golden.Int64Tensor("io", name + ".labels");

    /// <summary>Not 0 at the places whose logits the case says are to be compared.</summary>
    public Tensor Compared(string name) => Case(name)["compare_logits_where"].AsString switch
    {
        "everywhere" => ones_like(Ids(name)),
        "attention_mask == 1" => Mask(name),
        var other => throw new InvalidDataException($"'{other}' is not understood by this test."),
    };

    /// <summary>Runs a case, with the positions it gives if it gives any.</summary>
    public ModelOutput Run(string name)
    {
        var positions = Golden.Has("io", name + ".position_ids") ? Golden.Int64Tensor("io", name + ".position_ids") : null;
        return Model.call(Ids(name), Mask(name), Labels(name), positions);
    }

    public void Dispose()
    {
        Model.Dispose();
        Golden.Dispose();
    }
}
