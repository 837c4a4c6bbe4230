using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Which layers become one product, and what of them is written to disk.</summary>
public sealed class SharedInputCompilationTests
{
    private const string Joint = "q+k+v";

    [Fact]
    public void Layers_of_one_input_are_stacked_in_the_models_order()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) => Branches.Mix(v: m.V.call(x), k: m.K.call(x), q: m.Q.call(x)).sum().backward());
        using var apart = new CompiledBranches(calibrate: CompiledBranches.Apart);

        var stack = Assert.Single(shared.Hybrid.Layers);

        Assert.Equal((Joint, 32, Branches.Inputs), (stack.Weights.Name, stack.Weights.OutFeatures, stack.Weights.InFeatures));
        Assert.True(stack.NeedsForward && stack.NeedsBackward);
        Assert.Equal([("q", 0, 12), ("k", 12, 8), ("v", 20, 12)], stack.Parts.Select(part => (part.Name, part.First, part.Count)));
        Assert.Equal(apart.Hybrid.Layers.SelectMany(layer => layer.Weights.Codes.ToArray()), stack.Weights.Codes.ToArray());
        Assert.Equal(apart.Hybrid.Layers.SelectMany(layer => layer.Weights.Scales.ToArray()), stack.Weights.Scales.ToArray());
        Assert.Equal(
            apart.Hybrid.Layers.Select(layer => (layer.Weights.Name, Convert.ToHexString(layer.Weights.CodesHash))),
            stack.Members.Select(layer => (layer.Name, Convert.ToHexString(layer.CodesHash))));
    }

    [Fact]
    public void A_batch_that_is_run_twice_finds_the_same()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) => (m.call(x) + m.call(x * 2)).sum().backward());

        Assert.Equal([Joint], shared.Names);
    }

    [Fact]
    public void A_layer_that_shared_its_input_only_once_stays_alone()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) => (m.call(x) + m.V.call(x * 2).sum()).sum().backward());

        Assert.Equal(["q", "k", "v"], shared.Names);
    }

    [Fact]
    public void Another_layer_in_between_parts_those_around_it()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x * 1), m.V.call(x)).sum().backward());

        Assert.Equal(["q", "k", "v"], shared.Names);
    }

    [Fact]
    public void An_input_that_changed_in_between_is_another()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) =>
        {
            var h = x * 1;
            var (q, k) = (m.Q.call(h), m.K.call(h));
            h.mul_(2);
            Branches.Mix(q, k, m.V.call(h)).sum().backward();
        });

        Assert.Equal(["q+k", "v"], shared.Names);
    }

    [Fact]
    public void Layers_are_parted_where_only_some_need_a_way_back()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches(calibrate: (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x).detach(), m.V.call(x)).sum().backward());

        Assert.Equal([("q+v", true), ("k", false)], shared.Hybrid.Layers.Select(layer => (layer.Weights.Name, layer.NeedsBackward)));
    }

    [Fact]
    public void Layers_are_parted_where_their_bits_differ()
    {
        using var scope = NewDisposeScope();
        using var eight = new CompiledBranches(calibrate: CompiledBranches.Apart);
        using var ten = new CompiledBranches(calibrate: CompiledBranches.Apart, options: new HybridCompileOptions { Bits = 10 });
        var given = new[] { eight.Hybrid.Layers[0].Weights, ten.Hybrid.Layers[1].Weights, eight.Hybrid.Layers[2].Weights };

        using var shared = new CompiledBranches(options: new HybridCompileOptions { Bits = null, FrozenLayers = given });

        Assert.Equal(["q+v", "k"], shared.Names);
    }

    [Fact]
    public void A_stack_without_room_for_its_inputs_is_none()
    {
        // All codes are the largest: a column's norm is 2047·√out, and the range ends at about 24,000 of them.
        QuantizedLayer Layer(string name, int outputs) =>
            QuantizedLayer.Create("m", name, 12, outputs, 1, [.. Enumerable.Repeat((short)2047, outputs)], [.. Enumerable.Repeat(1f, outputs)]);

        Assert.Null(LayerStack.Of([Layer("a", 14_000), Layer("b", 14_000)]));
        Assert.NotNull(LayerStack.Of([Layer("a", 7_000), Layer("b", 7_000)]));
    }

    [Theory]
    [InlineData("layers.0.self_attn.q_proj+k_proj+v_proj", "layers.0.self_attn.q_proj", "layers.0.self_attn.k_proj", "layers.0.self_attn.v_proj")]
    [InlineData("a.b.c+x.c", "a.b.c", "a.x.c")]
    [InlineData("q+k", "q", "k")]
    [InlineData("a.b+a", "a.b", "a")]
    public void A_stack_is_named_after_its_layers(string expected, params string[] names) => Assert.Equal(expected, LayerStack.NameOf(names));

    [Fact]
    public void One_scale_a_layer_covers_the_longest_rows_of_all()
    {
        using var scope = NewDisposeScope();
        var options = new HybridCompileOptions { UseDynamicQuantization = false };
        using var shared = new CompiledBranches(options: options);
        using var apart = new CompiledBranches(calibrate: CompiledBranches.Apart, options: options);

        var stack = shared.Hybrid.Layers.Single();

        Assert.Equal(apart.Hybrid.Layers[0].ForwardNorm, stack.ForwardNorm);
        Assert.Equal(Math.Sqrt(apart.Hybrid.Layers.Sum(layer => Math.Pow(layer.BackwardNorm!.Value, 2))), stack.BackwardNorm!.Value, 1e-9);
    }

    [Fact]
    public void A_compilation_in_between_does_not_lose_gradients()
    {
        using var scope = NewDisposeScope();
        using var shared = new CompiledBranches();
        var x = shared.Input.clone().requires_grad_();
        var expected = shared.Results(HybridFheMode.Disable)[1];
        var y = shared.Hybrid.Run(HybridFheMode.Disable, () => shared.Model.call(x));

        shared.Compile(null);
        (y * HybridData.Normal(9, [.. y.shape])).sum().backward();

        HybridData.AssertClose(expected, x.grad!, 2e-4);
    }

    [Fact]
    public void A_saved_and_cleared_model_shares_the_same_inputs()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var shared = new CompiledBranches();
        var expected = shared.Results(HybridFheMode.Disable);
        shared.Hybrid.SaveAndClearPrivateInfo(folder.Path);
        var layers = FrozenLayerFile.Read(folder.At("server"));
        Assert.Equal(["k", "q", "v"], layers.Select(layer => layer.Name));

        shared.Compile(null, new HybridCompileOptions { FrozenLayers = layers });

        Assert.Equal([Joint], shared.Names);
        Assert.All(expected.Zip(shared.Results(HybridFheMode.Disable)), pair => HybridData.AssertClose(pair.First, pair.Second, 0));
    }

    [Fact]
    public void A_hint_folder_has_one_hint_a_direction_for_all()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        for (var run = 0; run < 2; run++)
        {
            using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.At("hints") });
            using var shared = new CompiledBranches(backend: backend);
            shared.Results(HybridFheMode.Execute);
            Assert.Equal(2, Directory.GetFiles(folder.At("hints"), "q_k_v*").Length);
        }
    }
}
