using LoraFhe.Fixtures;
using LoraFhe.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>Which class the classifiers give a text, wherever it is padded.</summary>
public sealed class SequenceClassificationTests
{
    [Theory]
    [Recorded("models", "!generation")]
    public void Logits_and_losses_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("models/" + name);
        using var model = SequenceClassifier.FromPretrained(golden.Folder);
        foreach (var one in golden.Expected["cases"].Items)
        {
            var label = one["name"].AsString;
            var output = Run(model, golden, label);

            Assert.Equal("everywhere", one["compare_logits_where"].AsString);
            Close.Within(golden.ToleranceOf("logits"), golden.SingleTensor("io", label + ".logits"), output.Logits!, $"{name} {label}.logits");
            Close.Within(golden.ToleranceOf("loss"), one["loss"].AsDouble, output.Loss!.item<float>(), $"{name} {label} loss");
        }
    }

    [Theory]
    [Recorded("models", "!generation")]
    public void In_double_precision_they_are_those_of_an_exact_run(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("models/" + name);
        using var model = SequenceClassifier.FromPretrained(golden.Folder);
        model.to(float64);
        foreach (var label in golden.Expected["cases"].Items.Select(one => one["name"].AsString))
        {
            var logits = Run(model, golden, label).Logits!;

            Close.Within(golden.ToleranceOf("logits_f64"), golden.DoubleTensor("io", label + ".logits_f64"), logits, $"{name} {label}.logits_f64");
        }
    }

    private static ModelOutput Run(SequenceClassifier model, Golden golden, string label) => model.call(
        golden.Int64Tensor("io", label + ".input_ids"), golden.Int64Tensor("io", label + ".attention_mask"), golden.Int64Tensor("io", label + ".labels"));
}
