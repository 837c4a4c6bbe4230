using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class HybridFheModelTests
{
    [Fact]
    public void Named_modules_become_remote_and_keep_their_original_as_private_module()
    {
        using var hybrid = new HybridFixture(skip: 1, compile: false);

        Assert.Equal(
            ["fc1", "fc2.forward_module", "fc2.backward_module", "fc3.forward_module", "fc3.backward_module"], hybrid.Hybrid.ModuleNames);
        Assert.Equal(hybrid.Hybrid.ModuleNames, hybrid.Hybrid.RemoteModules.Select(module => module.RemoteName));
        Assert.Contains("fc1.private_module.weight", hybrid.Model.state_dict().Keys);
        Assert.Contains("fc2.forward_module.private_module.bias", hybrid.Model.state_dict().Keys);
        Assert.Equal(8, hybrid.Model.parameters().Count());
    }

    [Fact]
    public void The_mode_stays_set_until_it_is_set_again()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();

        hybrid.Output(HybridFheMode.Execute);
        var calls = hybrid.Hybrid.Backend.Traffic.Calls;
        hybrid.Model.call(hybrid.Input);

        Assert.Equal(HybridFheMode.Execute, hybrid.Hybrid.Mode);
        Assert.Equal(calls + 3, hybrid.Hybrid.Backend.Traffic.Calls);

        hybrid.Hybrid.Mode = HybridFheMode.Torch;
        hybrid.Model.call(hybrid.Input);
        Assert.Equal(calls + 3, hybrid.Hybrid.Backend.Traffic.Calls);
        Assert.All(hybrid.Hybrid.RemoteModules, module => Assert.Equal(HybridFheMode.Torch, module.Mode));
        Assert.Throws<ArgumentOutOfRangeException>(() => hybrid.Hybrid.Mode = (HybridFheMode)9);
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Every_mode_but_torch_needs_compilation(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(compile: false);

        var exception = Assert.Throws<InvalidOperationException>(() => hybrid.Output(mode));
        Assert.Equal($"'{mode.ToPythonName()}' needs a compiled model. Call Compile first, or CompileModel without a trainer.", exception.Message);

        hybrid.Hybrid.Mode = mode;
        var byLayer = Assert.Throws<InvalidOperationException>(() => hybrid.Model.call(hybrid.Input));
        Assert.Equal($"Layer 'fc1.forward_module': mode '{mode.ToPythonName()}' needs CompileModel first.", byLayer.Message);
        hybrid.Output(HybridFheMode.Torch);
    }

    [Fact]
    public void An_unknown_name_is_refused_and_nothing_is_replaced()
    {
        using var model = new AdaptedMlp();

        var exception = Assert.Throws<ArgumentException>(() => new HybridFheModel(model, ["fc1", "fc9"]));

        Assert.StartsWith(
            "No module found for name 'fc9' in 'AdaptedMlp'; it has 'fc1', 'fc2', 'fc3', 'lora_1', 'lora_2', 'lora_3'.", exception.Message, StringComparison.Ordinal);
        Assert.IsType<Linear>(model.named_children().First().module);
    }

    [Fact]
    public void A_module_cannot_be_made_remote_twice()
    {
        using var model = new AdaptedMlp();
        using var hybrid = new HybridFheModel(model, ["fc1", "fc1"]);

        Assert.Single(hybrid.RemoteModules);
        var exception = Assert.Throws<ArgumentException>(() => new HybridFheModel(model, ["fc1"]));
        Assert.Contains("'fc1' is remote already", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["fc1", "fc2", "fc3"], Lora.GetRemoteNames(model));
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Frozen_parameters_stay_frozen(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(skip: 2);

        hybrid.Hybrid.Run(mode, () =>
        {
            hybrid.Model.call(hybrid.Input).sum().backward();
            return 0;
        });

        Assert.Equal(
            ["lora_1.weight", "lora_2.weight", "lora_3.weight"],
            hybrid.Model.named_parameters().Where(entry => entry.parameter.grad is not null).Select(entry => entry.name));
        Assert.Equal(3, hybrid.Model.Adapters.Count);
    }

    [Fact]
    public void Two_layers_may_share_one_parameter()
    {
        using var scope = NewDisposeScope();
        var shared = nn.Linear(24, 24);
        shared.weight.requires_grad = false;
        using var model = nn.Sequential(
            ("first", new CustomLinear(shared.weight, shared.bias)), ("second", new CustomLinear(shared.weight)));
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));
        var input = HybridData.Normal(1, 3, 24).requires_grad_();
        hybrid.CompileModel(() => model.call(input).sum().backward(), cancellationToken: TestContext.Current.CancellationToken);

        var expected = hybrid.Forward<Tensor, Tensor>(input, HybridFheMode.Torch);
        var actual = hybrid.Forward<Tensor, Tensor>(input, HybridFheMode.Execute);
        actual.sum().backward();

        Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, 2e-2);
        Assert.NotNull(input.grad);
    }

    [Fact]
    public void Native_memory_stays_flat_over_hundreds_of_steps()
    {
        using var hybrid = new HybridFixture(skip: 1);
        using var input = HybridData.Normal(5, 8, 64, AdaptedMlp.Inputs);
        (long Tensors, long Bytes) Live(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                using var scope = NewDisposeScope();
                hybrid.Hybrid.Run(i % 2 == 0 ? HybridFheMode.Execute : HybridFheMode.Simulate, () => hybrid.Model.Gradients(input));
            }

            for (var i = 0; i < 2; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return (Tensor.TotalCount, process.WorkingSet64);
        }

        var before = Live(100);
        var after = Live(300);

        // One leaked activation a step would be 300 × 76 kB: 23 MB. What earlier tests left to the collector may still go.
        Assert.InRange(after.Tensors, 0, before.Tensors);
        Assert.InRange(after.Bytes - before.Bytes, long.MinValue, 16L << 20);
    }
}
