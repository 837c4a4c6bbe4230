using static LoraFhe.Tests.Hybrid.HookedModels;
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
    public void A_place_that_shares_a_hooked_layer_and_was_left_out_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var one = new Mlp();
        using var two = new Sharing(one.fc1);
        ModuleSurgery.Replace(one, "fc1", new Doubled(one.fc1));

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(two, "shared", new Doubled(nn.Linear(4, 4))));

        Assert.StartsWith("Layer 'shared': 'Sharing.shared' cannot hold the 'Doubled' that replaces it, and another place", error.Message, StringComparison.Ordinal);
    }
}
