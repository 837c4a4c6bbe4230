using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Layers that calibration found to share an input compute what they would compute one by one, whatever a forward does.</summary>
public sealed class SharedInputTests
{
    private const string Joint = "q+k+v";

    public static TheoryData<string, bool> Ways() => [.. BranchForwards.All.Keys.SelectMany(name => new[] { (name, false), (name, true) })];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Each_layer_gives_what_it_gives_alone(string forward, bool asTrained)
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(asTrained: asTrained);
        using var apart = new CompiledBranches(asTrained: asTrained, calibrate: CompiledBranches.Apart);
        Assert.Equal([Joint], shared.Names);
        Assert.Equal(["q", "k", "v"], apart.Names);
        (shared.Model.Run, apart.Model.Run) = (BranchForwards.All[forward], BranchForwards.All[forward]);

        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            foreach (var (expected, actual) in apart.Results(mode).Zip(shared.Results(mode)))
            {
                HybridData.AssertClose(expected, actual, mode == HybridFheMode.Disable ? 2e-4 : 2e-2);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_call_goes_forward_and_one_back(bool asTrained)
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var shared = new CompiledBranches(asTrained: asTrained, backend: backend);

        shared.Results(HybridFheMode.Execute);

        Assert.Equal([new LayerId(Joint, LayerDirection.Forward), new LayerId(Joint, LayerDirection.Backward)], backend.Calls);
    }

    [Theory]
    [InlineData("one left out", 1, 1)]
    [InlineData("one alone", 1, 1)]
    [InlineData("a gradient for one", 1, 1)]
    [InlineData("another order", 1, 1)]
    [InlineData("an input from the graph", 1, 1)]
    [InlineData("the first without a graph", 1, 1)]
    [InlineData("one twice", 2, 2)]
    [InlineData("recomputed", 2, 1)]
    [InlineData("no rows", 0, 0)]
    public void A_host_sees_how_layers_are_called_and_nothing_of_what_they_compute(string forward, int forwards, int backwards)
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var shared = new CompiledBranches(backend: backend);
        shared.Model.Run = BranchForwards.All[forward];

        shared.Results(HybridFheMode.Execute);

        Assert.Equal((forwards, backwards), (backend.Calls.Count(call => call.Direction == LayerDirection.Forward), backend.Calls.Count(call => call.Direction == LayerDirection.Backward)));
    }

    [Fact]
    public void No_gradient_asks_for_no_product()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var shared = new CompiledBranches(backend: backend);
        shared.Model.Run = (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x), m.V.call(x)).detach() * m.Gate[0];

        shared.Results(HybridFheMode.Execute);
        shared.Hybrid.Run(HybridFheMode.Execute, () => shared.Model.call(shared.Input).shape);

        Assert.All(backend.Calls, call => Assert.Equal(LayerDirection.Forward, call.Direction));
        Assert.Equal(2, backend.Calls.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Outputs_may_go_back_one_at_a_time(bool asTrained)
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(asTrained: asTrained);
        using var apart = new CompiledBranches(asTrained: asTrained, calibrate: CompiledBranches.Apart);

        HybridData.AssertClose(Gradient(apart), Gradient(shared), 2e-4);

        static Tensor Gradient(CompiledBranches compiled) => compiled.Hybrid.Run(HybridFheMode.Disable, () =>
        {
            var x = compiled.Input.clone().requires_grad_();
            var (q, k) = (compiled.Model.Q.call(x), compiled.Model.K.call(x));
            (q * q).sum().backward(retain_graph: true);
            (k * k).sum().backward();
            q.sum().backward();
            return x.grad!;
        });
    }

    [Fact]
    public void A_part_outlives_the_scope_that_it_was_computed_in()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches();
        using var apart = new CompiledBranches(calibrate: CompiledBranches.Apart);
        var forward = (Branches m, Tensor x) =>
        {
            Tensor q;
            using (NewDisposeScope())
            {
                q = m.Q.call(x).MoveToOuterDisposeScope();
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            return Branches.Mix(q, m.K.call(x), m.V.call(x));
        };
        (shared.Model.Run, apart.Model.Run) = (forward, forward);

        Assert.All(apart.Results(HybridFheMode.Disable).Zip(shared.Results(HybridFheMode.Disable)), pair => HybridData.AssertClose(pair.First, pair.Second, 2e-4));
    }

    [Theory]
    [InlineData("all three", 0)]
    [InlineData("one left out", 1)]
    [InlineData("the last without a graph", 1)]
    public void What_nobody_takes_is_let_go(string forward, int missingGradients)
    {
        const int steps = 5;
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches();
        shared.Model.Run = BranchForwards.All[forward];
        shared.Results(HybridFheMode.Disable);
        shared.Hybrid.Mode = HybridFheMode.Torch;
        var before = Live();

        for (var i = 0; i < steps; i++)
        {
            using var step = NewDisposeScope();
            shared.Results(HybridFheMode.Disable);
        }

        // TorchSharp counts an object for a gradient that there is none of, and never takes it off again.
        shared.Hybrid.Mode = HybridFheMode.Torch;
        Assert.Equal(before + (steps * missingGradients), Live());

        static long Live()
        {
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            return Tensor.TotalCount;
        }
    }

    [Fact]
    public void A_backend_that_fails_leaves_nothing_of_its_call()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var shared = new CompiledBranches(backend: backend);
        foreach (var direction in Enum.GetValues<LayerDirection>())
        {
            backend.Fault = call => call.Direction == direction ? new TimeoutException("the server is gone") : null;
            Assert.Equal("the server is gone", Assert.Throws<TimeoutException>(() => shared.Results(HybridFheMode.Execute)).Message);
        }

        backend.Fault = _ => null;
        var clear = shared.Results(HybridFheMode.Disable);
        Assert.All(clear.Zip(shared.Results(HybridFheMode.Execute)), pair => HybridData.AssertClose(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void An_input_or_a_gradient_that_is_not_finite_names_the_layer_that_got_it()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var shared = new CompiledBranches(backend: backend);
        shared.Model.Run = (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x), m.V.call(x * double.NaN));
        var forward = Assert.Throws<NotFiniteNumberException>(() => shared.Results(HybridFheMode.Execute));
        Assert.Equal("Layer 'v', forward: the input has a value that is not finite. Nothing was sent.", forward.Message);

        shared.Model.Run = (m, x) => cat([m.Q.call(x), m.K.call(x) * double.PositiveInfinity, m.V.call(x)], -1);
        var backward = Assert.Throws<NotFiniteNumberException>(() => shared.Results(HybridFheMode.Execute));
        Assert.Equal("Layer 'k', backward: the gradient has a value that is not finite. Nothing was sent.", backward.Message);
        Assert.DoesNotContain(backend.Calls, call => call.Direction == LayerDirection.Backward);
    }

    [Fact]
    public void A_wrong_width_names_the_layer_that_got_it()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(asTrained: false);
        shared.Model.Run = (m, x) => m.K.call(x.narrow(-1, 0, 7));

        var error = Assert.Throws<ArgumentException>(() => shared.Results(HybridFheMode.Disable));

        Assert.StartsWith("Layer 'k', forward: the product takes [..., 20]", error.Message, StringComparison.Ordinal);
    }
}
