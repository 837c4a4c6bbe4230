using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>A model with an adapter that peft 0.21.2 saved answers as in Python.</summary>
public sealed class AnswersTests
{
    [Theory]
    [Recorded("adapters")]
    public void Logits_and_loss_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();

        var output = recorded.Answer(adapted.Model);

        recorded.AssertLogits("logits_adapter", output.Logits!);
        Assert.Equal(recorded.Expected["loss"].AsDouble, output.Loss!.item<float>(), recorded.Tolerance("loss"));
    }

    [Theory]
    [Recorded("adapters")]
    public void In_double_precision_logits_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();
        adapted.to(ScalarType.Float64);

        recorded.AssertLogits("logits_adapter_f64_row0", recorded.Answer(adapted.Model, firstRowOnly: true).Logits!);
    }
}
