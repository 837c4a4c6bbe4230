using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class HybridRowsTests
{
    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void A_row_of_zeros_gives_exactly_the_bias_and_no_gradient(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20);
        using var hybrid = HybridModesTests.Wrap(model, bits: 8);
        var x = cat([HybridData.Normal(1, 1, 30), zeros(1, 30)]).requires_grad_();

        var y = hybrid.Run(mode, () => hybrid.RemoteModules[0].call(x));
        y.backward([cat([HybridData.Normal(2, 1, 20), zeros(1, 20)])]);

        Assert.Equal(model.bias!.Values(), y[1].Values());
        Assert.All(x.grad![1].Values(), value => Assert.Equal(0f, value));
        Assert.Contains(x.grad[0].Values(), value => value != 0);
    }

    [Theory]
    [InlineData(HybridFheMode.Disable, 1e30f)]
    [InlineData(HybridFheMode.Execute, 1e30f)]
    [InlineData(HybridFheMode.Disable, 1e-38f)]
    [InlineData(HybridFheMode.Execute, 1e-38f)]
    public void Huge_and_denormal_rows_are_as_accurate_as_others(HybridFheMode mode, float size)
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20, hasBias: false);
        using var hybrid = HybridModesTests.Wrap(model, bits: 8);
        var rows = HybridData.Normal(1, 4, 30);

        using var noGraph = no_grad();
        var y = hybrid.Run(mode, () => hybrid.RemoteModules[0].call(rows * size));
        var ordinary = hybrid.Run(HybridFheMode.Disable, () => hybrid.RemoteModules[0].call(rows));

        Assert.InRange(HybridData.RelativeDistance((y.to(ScalarType.Float64) / size).to(ScalarType.Float32), ordinary), 0, 3e-4);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_value_that_is_not_finite_is_refused_by_layer_and_direction_and_nothing_is_sent(float value)
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        hybrid.Gradients(HybridFheMode.Execute);
        var traffic = hybrid.Hybrid.Backend.Traffic;
        var input = hybrid.Input.clone();
        input[1, 2, 3] = value;

        var forward = Assert.Throws<NotFiniteNumberException>(() => hybrid.Output(HybridFheMode.Execute, input));
        Assert.Equal("Layer 'fc1', forward: the input has a value that is not finite. Nothing was sent.", forward.Message);
        Assert.Equal(traffic, hybrid.Hybrid.Backend.Traffic);

        var output = hybrid.Hybrid.Forward<Tensor, Tensor>(hybrid.Input, HybridFheMode.Execute);
        traffic = hybrid.Hybrid.Backend.Traffic;
        output.backward([full_like(output, value)]);
        var backward = Assert.Throws<NotFiniteNumberException>(() => BackwardFault.ThrowIfAny(hybrid.Model));
        Assert.Equal("Layer 'fc3', backward: the gradient has a value that is not finite. Nothing was sent.", backward.Message);
        Assert.Equal(traffic, hybrid.Hybrid.Backend.Traffic);
    }

    [Fact]
    public void Other_floating_types_come_back_as_they_were()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20);
        using var hybrid = HybridModesTests.Wrap(model, bits: 8);
        var x = HybridData.Normal(1, 4, 30).to(ScalarType.Float64).requires_grad_();

        var y = hybrid.Run(HybridFheMode.Disable, () => hybrid.RemoteModules[0].call(x));
        y.sum().backward();

        Assert.Equal(ScalarType.Float64, y.dtype);
        Assert.Equal(ScalarType.Float64, x.grad!.dtype);
    }

    [Fact]
    public void No_tokens_give_no_tokens()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20);
        using var hybrid = HybridModesTests.Wrap(model, bits: 8);

        Assert.Equal([0, 3, 20], hybrid.Run(HybridFheMode.Execute, () => hybrid.RemoteModules[0].call(zeros(0, 3, 30))).shape);
    }

    [Fact]
    public void Rows_that_are_no_contiguous_memory_are_read_in_their_order()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20);
        using var hybrid = HybridModesTests.Wrap(model, bits: 8);
        var transposed = HybridData.Normal(1, 30, 6).t();

        var y = hybrid.Run(HybridFheMode.Execute, () => hybrid.RemoteModules[0].call(transposed));

        HybridData.AssertSame(hybrid.RemoteModules[0].call(transposed.contiguous()), y);
    }
}
