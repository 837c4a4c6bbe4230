using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class CustomLinearTests
{
    [Fact]
    public void The_weight_is_one_parameter_under_one_name()
    {
        using var weight = new Parameter(HybridData.Normal(1, 7, 4));
        using var bias = new Parameter(HybridData.Normal(2, 7));
        using var layer = new CustomLinear(weight, bias);

        Assert.Equal(["forward_module.weight", "forward_module.bias"], layer.named_parameters().Select(entry => entry.name));
        Assert.Same(weight, layer.named_parameters().First().parameter);
    }

    [Fact]
    public void A_plain_tensors_memory_is_shared_and_frozen()
    {
        using var weight = HybridData.Normal(1, 7, 4);
        using var layer = new CustomLinear(weight);
        using var x = HybridData.Normal(2, 3, 4);
        weight.zero_();

        using var y = layer.call(x);

        Assert.All(y.Values(), value => Assert.Equal(0, value));
        Assert.All(layer.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void Backward_is_never_called_if_the_input_requires_no_gradient()
    {
        using var scope = NewDisposeScope();
        var layer = new CustomLinear(new Parameter(HybridData.Normal(1, 7, 4)));
        var calls = 0;
        ((BackwardModuleLinear)layer.BackwardModule).register_forward_hook((_, _, output) =>
        {
            calls++;
            return output;
        });
        var frozen = HybridData.Normal(2, 3, 4);
        var trainable = HybridData.Normal(3, 7).requires_grad_();

        var y = layer.call(frozen);
        (y * trainable).sum().backward();

        Assert.False(y.requires_grad);
        Assert.Equal(0, calls);

        (layer.call(frozen.requires_grad_()) * trainable).sum().backward();
        Assert.Equal(1, calls);
    }

    [Fact]
    public void No_graph_is_made_without_gradient_mode()
    {
        using var scope = NewDisposeScope();
        var layer = new CustomLinear(HybridData.Normal(1, 7, 4));
        using var noGraph = no_grad();

        Assert.False(layer.call(HybridData.Normal(2, 3, 4).requires_grad_()).requires_grad);
    }

    [Fact]
    public void A_wrong_width_is_an_error_not_the_end_of_the_process()
    {
        using var scope = NewDisposeScope();
        var layer = new CustomLinear(HybridData.Normal(1, 7, 4));

        var exception = Assert.Throws<ArgumentException>(() => layer.call(HybridData.Normal(2, 3, 5)));

        Assert.Contains("[..., 4]", exception.Message, StringComparison.Ordinal);
        Assert.Contains("[3, 5]", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => layer.call(ones(1).sum()));
    }

    [Fact]
    public void Wrong_shapes_of_parameters_are_named()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>("weight", () => new CustomLinear(ones(3)));
        Assert.Throws<ArgumentException>("bias", () => new CustomLinear(ones(7, 4), ones(4)));
        _ = new CustomLinear(ones(4, 7), ones(7), weightTransposed: true);
    }

    [Fact]
    public void An_exception_in_backward_reaches_the_caller_and_the_process_lives()
    {
        using var scope = NewDisposeScope();
        var layer = new CustomLinear(HybridData.Normal(1, 7, 4));
        ((BackwardModuleLinear)layer.BackwardModule).register_forward_pre_hook(
            (nn.Module<Tensor, Tensor> _, Tensor _) => throw new TimeoutException("no answer"));
        var x = HybridData.Normal(2, 3, 4).requires_grad_();

        layer.call(x).sum().backward();

        var exception = Assert.Throws<TimeoutException>(() => BackwardFault.ThrowIfAny(layer));
        Assert.Equal("no answer", exception.Message);
        BackwardFault.ThrowIfAny(layer);
    }

    [Fact]
    public void A_fault_that_nobody_asked_for_is_thrown_by_the_next_forward()
    {
        using var scope = NewDisposeScope();
        var layer = new CustomLinear(HybridData.Normal(1, 7, 4));
        var hook = ((BackwardModuleLinear)layer.BackwardModule).register_forward_pre_hook(
            (nn.Module<Tensor, Tensor> _, Tensor _) => throw new TimeoutException("no answer"));
        var x = HybridData.Normal(2, 3, 4).requires_grad_();
        layer.call(x).sum().backward();

        Assert.Throws<TimeoutException>(() => layer.call(x));

        hook.remove();
        layer.call(x).sum().backward();
        Assert.NotNull(x.grad);
    }

    [Fact]
    public void Moved_to_another_type_both_halves_still_share_one_parameter()
    {
        using var layer = new CustomLinear(HybridData.Normal(1, 7, 4), HybridData.Normal(2, 7));

        layer.to(ScalarType.Float64);

        using var scope = NewDisposeScope();
        var x = HybridData.Normal(3, 2, 4).to(ScalarType.Float64).requires_grad_();
        layer.call(x).sum().backward();
        Assert.Equal(ScalarType.Float64, x.grad!.dtype);
        Assert.Equal(2, layer.parameters().Count());
        Assert.Same(((ForwardModuleLinear)layer.ForwardModule).weight, ((BackwardModuleLinear)layer.BackwardModule).weight);
    }

    [Fact]
    public void It_works_without_any_dispose_scope_while_memory_is_collected()
    {
        using var layer = new CustomLinear(HybridData.Normal(1, 64, 32), HybridData.Normal(2, 64));
        using var back = new CustomLinear(HybridData.Normal(3, 32, 64));
        using var x = HybridData.Normal(4, 8, 32).requires_grad_();
        using var expected = matmul(matmul(ones(8, 32), ((BackwardModuleLinear)back.BackwardModule).weight), ((BackwardModuleLinear)layer.BackwardModule).weight);
        for (var i = 0; i < 200; i++)
        {
            back.call(layer.call(x)).sum().backward();
            if (i % 20 == 0)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }

        Assert.InRange(HybridData.RelativeDistance(x.grad!, expected * 200), 0, 1e-5);
    }
}
