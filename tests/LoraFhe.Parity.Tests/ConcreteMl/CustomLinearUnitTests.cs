using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's <c>CustomLinear</c> in every form that was recorded.</summary>
public sealed class CustomLinearUnitTests
{
    // As the README of the fixtures states for torch runs; nothing is divided here, so that sums of four products differ by their order only.
    private const double Tolerance = 1e-6;

    [Theory]
    [Recorded(RecordedCases.ConcreteUnits)]
    public void Output_and_input_gradient_are_the_recorded_ones(string variant)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("concrete-ml/units");
        var flags = golden.Json("custom_linear.json")[variant];
        Tensor Recorded(string name) => golden.SingleTensor("custom_linear", $"{variant}.{name}");
        var weight = new Parameter(Recorded("weight"));
        var bias = flags["bias"].AsBoolean ? new Parameter(Recorded("bias")) : null;
        using var layer = new CustomLinear(weight, bias, flags["weight_transposed"].AsBoolean);
        var x = Recorded("x").requires_grad_();

        var y = layer.call(x);
        y.backward([Recorded("grad_out")]);

        Close.Within(Tolerance, Recorded("y"), y, variant + ".y");
        Close.Within(Tolerance, Recorded("grad_x"), x.grad!, variant + ".grad_x");
        Assert.Equal(flags["weight_grad"].IsNull, weight.grad is null);
        Assert.Equal(flags["bias_grad"].IsNull, bias?.grad is null);
        Assert.Equal(flags["state_dict_keys"].AsStrings, layer.state_dict().Keys);
    }
}
