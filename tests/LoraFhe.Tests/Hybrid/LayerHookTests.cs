using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A layer that stays in its field while another is called instead.</summary>
public sealed class LayerHookTests
{
    [Fact]
    public void The_registry_names_the_replacement_and_the_field_keeps_the_layer()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var (fc1, replacement) = (model.fc1, new Doubled(model.fc1));
        ModuleSurgery.Replace(model, "fc1", replacement);

        Assert.Same(fc1, model.fc1);
        Assert.Equal(["fc1.inner.weight", "fc1.inner.bias", "fc2.weight", "fc2.bias"], model.state_dict().Keys);
        Assert.Equal(["fc1.inner.weight", "fc1.inner.bias", "fc2.weight", "fc2.bias"], model.named_parameters().Select(entry => entry.name));
        model.eval();
        Assert.False(replacement.training);
    }

    [Fact]
    public void A_replacement_that_is_called_itself_is_called_once()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var expected = model.fc1.call(input) * 2;
        var replacement = new Doubled(model.fc1);
        ModuleSurgery.Replace(model, "fc1", replacement);

        HybridData.AssertSame(expected, replacement.call(input));
        HybridData.AssertSame(expected, model.fc1.call(input));
        Assert.Equal(2, replacement.Calls);
    }

    [Fact]
    public void A_replacement_that_holds_the_layer_out_of_sight_does_not_call_itself()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var expected = model.fc1.call(input) * 3;
        ModuleSurgery.Replace(model, "fc1", new Tripled(model.fc1.call));

        HybridData.AssertSame(expected, model.fc1.call(input));
        HybridData.AssertSame(expected, model.fc1.call(input));
    }

    [Fact]
    public void A_delegate_taken_before_reaches_the_replacement()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        Func<Tensor, Tensor> taken = model.fc1.call;
        var expected = taken(input) * 2;

        ModuleSurgery.Replace(model, "fc1", new Doubled(model.fc1));

        HybridData.AssertSame(expected, taken(input));
    }

    [Fact]
    public void An_exception_of_the_replacement_leaves_nothing_behind()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var expected = model.fc1.call(input) * 2;
        var replacement = new Doubled(model.fc1);
        ModuleSurgery.Replace(model, "fc1", replacement);

        foreach (var where in new[] { Failure.Before, Failure.After })
        {
            replacement.Fails = where;
            Assert.Throws<TimeoutException>(() => model.call(input));
            replacement.Fails = Failure.None;

            HybridData.AssertSame(expected, model.fc1.call(input));
        }
    }

    [Fact]
    public void Calls_may_nest()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var expected = model.fc2.call(model.fc1.call(input) * 2) * 3;
        ModuleSurgery.Replace(model, "fc1", new Doubled(model.fc1));

        // The replacement of one layer calls the other, which is replaced too.
        var copy = nn.Linear(model.fc2.weight, model.fc2.bias);
        ModuleSurgery.Replace(model, "fc2", new Tripled(x => copy.call(model.fc1.call(x))));

        HybridData.AssertSame(expected, model.fc2.call(input));
    }

    [Fact]
    public void A_replacement_is_replaced_in_turn_and_the_layer_comes_back()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var plain = model.fc1.call(input);
        var fc1 = model.fc1;
        var one = new Doubled(fc1);
        ModuleSurgery.Replace(model, "fc1", one);
        ModuleSurgery.Replace(model, "fc1", new Doubled(one));
        HybridData.AssertSame(plain * 4, model.fc1.call(input));

        ModuleSurgery.Replace(model, "fc1", fc1);

        HybridData.AssertSame(plain, model.fc1.call(input));
        Assert.Same(fc1, model.named_children().First().module);
        Assert.Equal(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"], model.state_dict().Keys);
    }

    [Fact]
    public void A_layer_that_fits_is_stored_and_the_one_before_is_itself_again()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        var input = HybridData.Normal(1, 3, 4);
        var fc1 = model.fc1;
        var plain = fc1.call(input);
        ModuleSurgery.Replace(model, "fc1", new Doubled(fc1));
        var other = nn.Linear(4, 4);

        ModuleSurgery.Replace(model, "fc1", other);

        Assert.Same(other, model.fc1);
        HybridData.AssertSame(plain, fc1.call(input));
    }

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
    public void An_adapted_model_can_be_disposed_of()
    {
        var model = new Mlp();
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });

        adapted.Dispose();

        Assert.Throws<InvalidOperationException>(() => model.fc2.weight.Handle);
    }

    [Fact]
    public void A_typed_embedding_keeps_its_options_and_hands_its_calls_on()
    {
        using var scope = NewDisposeScope();
        using var model = new Embedded();
        var ids = tensor(new long[] { 1, 2, 3, 2 });
        var expected = model.call(ids);
        var replacement = new Doubled(model.wte);
        ModuleSurgery.Replace(model, "wte", replacement);

        HybridData.AssertSame(expected * 2, model.call(ids));
        Assert.Equal(1, replacement.Calls);
        HybridData.AssertSame(expected * 2, model.Alias(ids));
        Assert.Equal(2, replacement.Calls);
        Assert.Equal(["wte.inner.weight", "_alias.inner.weight"], model.state_dict().Keys);
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
    public void A_hook_that_changes_the_input_after_the_surgery_is_an_error()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp();
        ModuleSurgery.Replace(model, "fc1", new Doubled(model.fc1));
        model.fc1.register_forward_pre_hook((_, input) => input * 2);

        var error = Assert.Throws<InvalidOperationException>(() => model.call(HybridData.Normal(1, 3, 4)));

        Assert.StartsWith("A pre-hook changed the input of a 'Linear'", error.Message, StringComparison.Ordinal);
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

    [Fact]
    public void A_place_that_shares_a_hooked_layer_and_was_left_out_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var one = new Mlp();
        using var two = new Sharing(one.fc1);
        ModuleSurgery.Replace(one, "fc1", new Doubled(one.fc1));

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(two, "shared", new Doubled(nn.Linear(4, 4))));

        Assert.StartsWith("Layer 'shared': 'Sharing.shared' cannot hold the 'Doubled' that replaces it, and another place", error.Message, StringComparison.Ordinal);
    }

    private static WeakReference[] MakeAndForget()
    {
        var model = new Mlp();
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });
        return [new(model), new(adapted), new(adapted.AdaptedLayers[0].Layer), new(model.fc1)];
    }

    private enum Failure
    {
        None,
        Before,
        After,
    }

    private sealed class Mlp : nn.Module<Tensor, Tensor>
    {
        public readonly Linear fc1 = nn.Linear(4, 4);
        public readonly Linear fc2 = nn.Linear(4, 4);

        public Mlp() : base(nameof(Mlp)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc2.call(fc1.call(input).tanh());
    }

    private sealed class Sharing : nn.Module<Tensor, Tensor>
    {
        private readonly Linear shared;

        public Sharing(Linear layer) : base(nameof(Sharing))
        {
            shared = layer;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => shared.call(input);
    }

    private sealed class Embedded : nn.Module<Tensor, Tensor>
    {
        public readonly Embedding wte = nn.Embedding(5, 4, max_norm: 0.5);
        private readonly nn.Module<Tensor, Tensor> _alias;

        public Embedded() : base(nameof(Embedded))
        {
            _alias = wte;
            RegisterComponents();
        }

        public Tensor Alias(Tensor ids) => _alias.call(ids);

        public override Tensor forward(Tensor ids) => wte.call(ids);
    }

    private sealed class Doubled : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> inner;

        public Doubled(nn.Module<Tensor, Tensor> layer) : base(nameof(Doubled))
        {
            inner = layer;
            RegisterComponents();
        }

        public int Calls { get; private set; }

        public Failure Fails { get; set; }

        public override Tensor forward(Tensor input)
        {
            Calls++;
            if (Fails == Failure.Before)
            {
                throw new TimeoutException();
            }

            using var output = inner.call(input);
            return Fails == Failure.After ? throw new TimeoutException() : output * 2;
        }
    }

    private sealed class Tripled(Func<Tensor, Tensor> product) : nn.Module<Tensor, Tensor>(nameof(Tripled))
    {
        public override Tensor forward(Tensor input) => product(input) * 3;
    }
}
