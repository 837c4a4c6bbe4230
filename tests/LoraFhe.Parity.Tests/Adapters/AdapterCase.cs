using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>A recorded adapter with the model it stands on.</summary>
internal sealed class AdapterCase : IDisposable
{
    private readonly Golden _golden;

    private AdapterCase(string family, string name) => _golden = Golden.Open($"{family}/{name}");

    /// <summary>Opens a case.</summary>
    public static AdapterCase Open(string name, string family = "adapters") => new(family, name);

    /// <summary>What was recorded.</summary>
    public GoldenJson Expected => _golden.Expected;

    /// <summary>The case's folder, which peft wrote.</summary>
    public string Folder => _golden.Folder;

    /// <summary>The case's files.</summary>
    public Golden Golden => _golden;

    /// <summary>The model as transformers saved it; the caller disposes it.</summary>
    public nn.Module<Tensor, Tensor?, Tensor?, ModelOutput> Bare()
    {
        var folder = RepositoryFolder.Fixture(Expected["base_model"].AsString.Split('/'));
        return CausalLanguageModel.FromPretrained(folder);
    }

    /// <summary>The model with the recorded adapter; the caller disposes it.</summary>
    public LoraModel Load(bool isTrainable = false) => LoraModel.FromPretrained(Bare(), Folder, isTrainable);

    /// <summary>What a model answers to the recorded batch, or to its first row, with the loss.</summary>
    public ModelOutput Answer(nn.Module model, bool firstRowOnly = false)
    {
        var (ids, mask, labels) = (Int64s("input_ids"), Int64s("attention_mask"), Int64s("labels"));
        return ((nn.Module<Tensor, Tensor?, Tensor?, ModelOutput>)model).call(
            firstRowOnly ? ids[0..1] : ids, firstRowOnly ? mask[0..1] : mask, firstRowOnly ? labels[0..1] : labels);
    }

    /// <summary>Compares logits with recorded ones, where they mean anything.</summary>
    public void AssertLogits(string recorded, Tensor logits, double? tolerance = null)
    {
        var stored = _golden.Tensors("io").Entry(recorded);
        var expected = recorded.EndsWith("_f64_row0", StringComparison.Ordinal)
            ? tensor(_golden.Doubles("io", recorded).Values, [1, .. stored.Shape])
            : Singles("io", recorded);
        if (Expected["compare_logits_where"].AsString == "attention_mask == 1")
        {
            var kept = Int64s("attention_mask")[TensorIndex.Slice(0, logits.shape[0])].eq(1);
            Assert.Equal(expected.shape, logits.shape);
            (expected, logits) = (expected[kept], logits[kept]);
        }

        AssertClose(tolerance ?? Tolerance(recorded), expected, logits, recorded);
    }

    /// <summary>Compares tensors.</summary>
    public void AssertClose(double tolerance, Tensor expected, Tensor actual, string what)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distances = (expected - actual).abs().to(float64).flatten();
        var largest = distances.max().item<double>();
        Assert.True(largest <= tolerance, $"{Path.GetFileName(Folder)}, {what}: off by {largest} at element {distances.argmax().item<long>()}; {tolerance} is allowed.");
    }

    /// <summary>The case's own tolerance.</summary>
    public double Tolerance(string what) => Expected["tolerance_abs"][what].AsDouble;

    /// <summary>A tensor of the recorded batch.</summary>
    public Tensor Int64s(string name)
    {
        var recorded = _golden.Int64s("io", name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }

    /// <summary>A recorded tensor.</summary>
    public Tensor Singles(string file, string name)
    {
        var recorded = _golden.Singles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float32);
    }

    /// <inheritdoc/>
    public void Dispose() => _golden.Dispose();
}
