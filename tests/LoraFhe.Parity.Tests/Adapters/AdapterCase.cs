using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>A recorded adapter with the model it stands on.</summary>
internal sealed class AdapterCase : IDisposable
{
    private readonly string _name;

    private AdapterCase(string family, string name)
    {
        _name = name;
        Golden = Golden.Open($"{family}/{name}");
    }

    /// <summary>Opens a case.</summary>
    public static AdapterCase Open(string name, string family = "adapters") => new(family, name);

    /// <summary>The case's files.</summary>
    public Golden Golden { get; }

    /// <summary>What was recorded.</summary>
    public GoldenJson Expected => Golden.Expected;

    /// <summary>The case's folder, which peft wrote.</summary>
    public string Folder => Golden.Folder;

    /// <summary>The model as transformers saved it; the caller disposes it.</summary>
    public PretrainedModel Bare()
    {
        var model = Expected["base_model"].AsString;
        var folder = RepositoryFolder.Fixture(model.Split('/'));
        return model.EndsWith("seqcls", StringComparison.Ordinal) ? SequenceClassifier.FromPretrained(folder) : CausalLanguageModel.FromPretrained(folder);
    }

    /// <summary>The model with the recorded adapter; the caller disposes it.</summary>
    public LoraModel Load(bool isTrainable = false) => LoraModel.FromPretrained(Bare(), Folder, isTrainable);

    /// <summary>What a model answers to the recorded batch, or to its first row, with the loss.</summary>
    public ModelOutput Answer(nn.Module model, bool firstRowOnly = false)
    {
        var (ids, mask, labels) = (Golden.Int64Tensor("io", "input_ids"), Golden.Int64Tensor("io", "attention_mask"), Golden.Int64Tensor("io", "labels"));
        return ((PretrainedModel)model).call(firstRowOnly ? ids[0..1] : ids, firstRowOnly ? mask[0..1] : mask, firstRowOnly ? labels[0..1] : labels);
    }

    /// <summary>Compares logits with recorded ones, where they mean anything.</summary>
    public void AssertLogits(string recorded, Tensor logits, double? tolerance = null)
    {
        var expected = recorded.EndsWith("_f64_row0", StringComparison.Ordinal)
            ? Golden.DoubleTensor("io", recorded).unsqueeze(0)
            : Golden.SingleTensor("io", recorded);
        var allowed = tolerance ?? Golden.ToleranceOf(recorded);
        if (Expected["compare_logits_where"].AsString == "everywhere")
        {
            Close.Within(allowed, expected, logits, $"{_name} {recorded}");
        }
        else
        {
            Close.Where(Golden.Int64Tensor("io", "attention_mask").narrow(0, 0, logits.shape[0]), allowed, expected, logits, $"{_name} {recorded}");
        }
    }

    /// <summary>The largest difference of two answers, where they mean anything.</summary>
    public double LargestDifference(Tensor logits, Tensor others)
    {
        var differences = (logits - others).detach().abs();
        return (Expected["compare_logits_where"].AsString == "everywhere" ? differences : differences[Golden.Int64Tensor("io", "attention_mask").ne(0)]).max().item<float>();
    }

    /// <summary>Compares a tensor with one of the case's files.</summary>
    public void AssertTensor(string file, string recorded, Tensor actual, string tolerance) =>
        Close.Within(Golden.ToleranceOf(tolerance), Golden.SingleTensor(file, recorded), actual, $"{_name} {recorded}");

    /// <inheritdoc/>
    public void Dispose() => Golden.Dispose();
}
