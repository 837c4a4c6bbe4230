using TorchSharp;
using static LoraFhe.Tests.Hybrid.HookedModels;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What becomes of a layer that stays in its field when its model is moved, saved, collected or disposed of.</summary>
public sealed class LayerHookLifetimeTests
{
    [Fact]
    public void A_moved_model_computes_in_its_new_type_and_its_fields_show_it()
    {
        using var scope = NewDisposeScope();
        using var plain = new Mlp();
        var model = new Mlp();
        model.load_state_dict(plain.state_dict());
        using var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });
        var input = HybridData.Normal(1, 3, 4).to_type(ScalarType.Float64);

        adapted.to(ScalarType.Float64);
        plain.to(ScalarType.Float64);

        Assert.Equal(ScalarType.Float64, model.fc1.weight.dtype);
        Assert.Equal(ScalarType.Float64, model.call(input).dtype);
        Assert.True(plain.call(input).equal(model.call(input)).all().item<bool>());
        Assert.All(adapted.state_dict().Values, value => Assert.Equal(ScalarType.Float64, value.dtype));
    }

    [Fact]
    public void A_moved_model_computes_before_its_fields_were_told()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        ModuleSurgery.Replace(model, "fc1", new Doubled(model.fc1));

        model.to(ScalarType.Float64);

        Assert.Equal(ScalarType.Float64, model.call(HybridData.Normal(1, 3, 4).to_type(ScalarType.Float64)).dtype);
        Assert.Equal(ScalarType.Float64, model.fc1.weight.dtype);
    }

    [Fact]
    public void A_saved_state_loads_into_a_model_with_replaced_layers()
    {
        using var scope = NewDisposeScope();
        using var one = new Mlp();
        using var other = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        ModuleSurgery.Replace(one, "fc1", new Doubled(one.fc1));
        ModuleSurgery.Replace(other, "fc1", new Doubled(other.fc1));
        using var stream = new MemoryStream();
        one.save(stream);
        using var saved = new MemoryStream(stream.ToArray());

        other.load(saved);

        HybridData.AssertSame(one.call(input), other.call(input));
    }

    [Fact]
    public void The_collector_takes_nothing_that_a_hooked_model_needs()
    {
        using var model = new Mlp();
        using var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear }, seed: 1);
        using var input = HybridData.Normal(1, 3, 4);
        using var expected = model.call(input);
        for (var i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var output = model.call(input);
            GC.Collect();
            output.sum().backward();
            HybridData.AssertSame(expected, output);
        }
    }

    [Fact]
    public void A_model_and_its_replacements_are_collected_together()
    {
        using var scope = NewDisposeScope();
        var references = MakeAndForget();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.All(references, reference => Assert.False(reference.IsAlive));
    }

    [Fact]
    public void A_hooked_call_makes_no_tensor_but_its_output()
    {
        using var model = new Mlp();
        var other = nn.Linear(4, 4);
        ModuleSurgery.Replace(model, "fc1", new Doubled(other));
        using var input = HybridData.Normal(1, 3, 4);
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            model.fc1.call(input);
        }

        // Doubled makes two: one is disposed of.
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void A_hooked_call_leaves_nothing_with_its_thread()
    {
        using var scope = NewDisposeScope();
        using var input = HybridData.Normal(1, 3, 4);
        using var model = new Mlp();
        ModuleSurgery.Replace(model, "fc1", new Doubled(nn.Linear(4, 4)));
        long Allocated()
        {
            using var inner = NewDisposeScope();
            var before = GC.GetAllocatedBytesForCurrentThread();
            model.fc1.call(input);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        _ = Allocated();
        var first = Allocated();
        for (var i = 0; i < 64; i++)
        {
            using var other = new Mlp();
            ModuleSurgery.Replace(other, "fc1", new Doubled(nn.Linear(4, 4)));
            other.fc1.call(input).Dispose();
        }

        // What the others left in the thread's context would be copied at every call.
        Assert.InRange(Allocated(), 0, first + 512);
    }

    [Fact]
    public void An_adapted_model_can_be_disposed_of()
    {
        var model = new Mlp();
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });

        adapted.Dispose();

        Assert.Throws<InvalidOperationException>(() => model.fc2.weight.Handle);
    }

    [Fact]
    public void A_typed_embedding_that_nothing_lists_lets_go_of_its_weight()
    {
        using var scope = NewDisposeScope();
        using var model = new Embedded();
        var ids = tensor(new long[] { 1, 2 });
        var other = nn.Embedding(5, 4);
        ModuleSurgery.Replace(model, "wte", new Doubled(other));

        LayerHook.ForgetWeights(model);

        Assert.Equal(0, model.wte.weight!.numel());
        HybridData.AssertSame(other.call(ids) * 2, model.call(ids));
    }

    [Fact]
    public void A_layer_that_the_model_still_lists_keeps_its_weight()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        ModuleSurgery.Replace(model, "fc1", new Doubled(model.fc1));

        LayerHook.ForgetWeights(model);

        Assert.Equal(16, model.fc1.weight.numel());
    }

    [Fact]
    public void Threads_that_share_a_model_do_not_meet()
    {
        using var model = new Mlp();
        using var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear }, seed: 1);
        var inputs = Enumerable.Range(0, 8).Select(i => HybridData.Normal(i, 3, 4)).ToList();
        var expected = inputs.ConvertAll(input => model.call(input));

        Parallel.For(0, 400, i =>
        {
            using var scope = NewDisposeScope();
            HybridData.AssertSame(expected[i % 8], model.call(inputs[i % 8]));
        });
    }

    private static WeakReference[] MakeAndForget()
    {
        var model = new Mlp();
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });
        return [new(model), new(adapted), new(adapted.AdaptedLayers[0].Layer), new(model.fc1)];
    }
}
