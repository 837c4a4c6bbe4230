using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>What holds for a language model of every family, beyond what was recorded.</summary>
public sealed class CausalLanguageModelTests
{
    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void A_loaded_model_is_in_evaluation_mode_and_all_its_parameters_are_trainable(string name)
    {
        using var model = Load(name);

        Assert.False(model.training);
        Assert.All(model.modules(), module => Assert.False(module.training));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-tied")]
    public void A_model_made_inside_a_dispose_scope_outlives_it(string name)
    {
        CausalLanguageModel model;
        using (NewDisposeScope())
        {
            model = Load(name);
        }

        using (model)
        using (NewDisposeScope())
        {
            Assert.Equal([1, 2, 300], model.call(Row(3, 4), null, null).Logits!.shape);
        }
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-tied")]
    public void The_head_of_a_tied_model_follows_its_embedding_through_a_change_of_type(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        model.to(float64);

        var embedding = Assert.Single(model.named_parameters(), entry => entry.parameter.shape is [300, _]).parameter;
        using (no_grad())
        {
            embedding.zero_();
        }

        Assert.Equal(0.0, model.call(Row(5, 6, 7), null, null).Logits!.abs().max().item<double>());
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void Padding_on_either_side_does_not_reach_the_tokens(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load(name);
        var alone = model.call(Row(9, 8, 7, 6), null, null).Logits!;

        var right = model.call(Row(9, 8, 7, 6, 0, 0), Row(1, 1, 1, 1, 0, 0), null).Logits!;
        var left = model.call(Row(0, 0, 9, 8, 7, 6), Row(0, 0, 1, 1, 1, 1), null, Row(0, 0, 0, 1, 2, 3)).Logits!;

        Close.Within(1e-5, alone, right.narrow(1, 0, 4), "right");
        Close.Within(1e-5, alone, left.narrow(1, 2, 4), "left");
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void A_text_without_any_label_has_a_loss_that_is_not_a_number(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        var ids = Row(1, 2);

        Assert.True(float.IsNaN(model.call(ids, null, full_like(ids, PretrainedModel.IgnoreIndex)).Loss!.item<float>()));
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void Inputs_of_a_wrong_shape_type_or_range_are_refused_by_name_and_without_their_values(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        var ids = Row(1, 2, 3);

        Refused("inputIds", "The input ids are [3]; expected [batch, length]", ids[0], null, null);
        Refused("inputIds", "The input ids are [0, 3]", zeros([0, 3], ScalarType.Int64), null, null);
        Refused("inputIds", "'inputIds' is Float32; expected Int64.", ids.to(float32), null, null);
        Refused("inputIds", "ids are 0 to 299", Row(1, 300), null, null);
        Refused("inputIds", "ids are 0 to 299", Row(1, -1), null, null);
        Refused("attentionMask", "'attentionMask' is [1, 2]; expected the input ids' shape, [1, 3].", ids, Row(1, 1), null);
        Refused("labels", "'labels' is [1, 2]; expected the input ids' shape, [1, 3].", ids, null, Row(1, 2));
        Refused("labels", "'labels' is Float32; expected Int64.", ids, null, ids.to(float32));
        Refused("labels", "neither -100 nor of the model's vocabulary", ids, null, Row(1, 2, -1));
        Refused("labels", "neither -100 nor of the model's vocabulary", ids, null, Row(1, 2, 300));
        Refused("positionIds", "'positionIds' is [1, 2]; expected the input ids' shape, [1, 3].", ids, null, null, Row(0, 1));
        Refused("positionIds", "'positionIds' is Float32; expected Int64.", ids, null, null, ids.to(float32));

        void Refused(string parameter, string text, Tensor inputIds, Tensor? attentionMask, Tensor? labels, Tensor? positionIds = null)
        {
            var exception = Assert.Throws<ArgumentException>(parameter, () => model.call(inputIds, attentionMask, labels, positionIds));
            Assert.Contains(text, exception.Message, StringComparison.Ordinal);
            if (labels is null)
            {
                Assert.Throws<ArgumentException>(parameter, () => model.HiddenStates(inputIds, attentionMask, positionIds));
            }
        }
    }

    [Fact]
    public void Positions_that_a_gpt2_does_not_have_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = Load("gpt2-base");

        Refused("positionIds", "positions are 0 to 63", Row(1, 2), Row(0, 64));
        Refused("positionIds", "positions are 0 to 63", Row(1, 2), Row(-1, 0));
        Refused("inputIds", "The input ids are 65 tokens long; the model has 64 positions.", zeros([1, 65], ScalarType.Int64), null);
        Assert.Equal([1, 64, 300], model.call(zeros([1, 64], ScalarType.Int64), null, null).Logits!.shape);

        void Refused(string parameter, string text, Tensor inputIds, Tensor? positionIds) => Assert.Contains(
            text,
            Assert.Throws<ArgumentException>(parameter, () => model.call(inputIds, null, null, positionIds)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_gpt2_s_text_ends_where_its_positions_do(bool useCache)
    {
        using var model = Load("gpt2-base");
        var options = new GenerationOptions { MaxNewTokens = 10, EndOfSequenceIds = [], UseCache = useCache };

        var texts = model.Generate([Enumerable.Repeat(5, 61).ToArray(), [7, 8]], options, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal([3, 3], texts.Select(text => text.Length));
    }

    [Fact]
    public void A_llama_takes_any_position_and_only_distances_matter()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load("llama-gqa");

        // Far enough that a table of all positions before would not fit into any memory.
        var near = model.call(Row(9, 8, 7), null, null, Row(0, 1, 2)).Logits!;
        var far = model.call(Row(9, 8, 7), null, null, Row(1L << 40, (1L << 40) + 1, (1L << 40) + 2)).Logits!;

        Close.Within(2e-3, near, far, "far");
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void Positions_may_come_in_a_batch(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load(name);
        var (ids, positions) = (Row(9, 8, 7), Row(0, 4, 9));
        var batch = new Batch([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("position_ids", positions), KeyValuePair.Create("labels", ids)]);

        var output = new ModelInvoker(model).Invoke(batch);

        Assert.True(output.Logits!.Equals(model.call(ids, null, null, positions).Logits!));
        Assert.False(output.Logits.allclose(model.call(ids, null, null).Logits!));
        Assert.NotNull(output.Loss);
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("llama-gqa")]
    public void One_row_of_positions_is_for_all_texts_of_a_batch_as_in_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load(name);
        var (ids, row) = (cat([Row(9, 8, 7), Row(1, 2, 3)]), Row(0, 4, 9));

        var logits = model.call(ids, null, null, row).Logits!;

        Assert.True(logits.Equals(model.call(ids, null, null, cat([row, row])).Logits!));
        Assert.Equal([2, 3, 48], model.HiddenStates(ids, positionIds: row)[0].shape);
    }

    [Theory]
    [InlineData("gpt2-base", 2)]
    [InlineData("llama-gqa", 2)]
    public void Hidden_states_are_what_the_head_gets_and_what_came_before_it(string name, int layers)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load(name);

        var states = model.HiddenStates(Row(9, 8, 7));

        Assert.Equal(layers + 2, states.Count);
        Assert.All(states, state => Assert.Equal([1, 3, 48], state.shape));
        var head = (nn.Module<Tensor, Tensor>)model.OutputEmbeddings;
        Assert.True(head.call(states[^1]).Equals(model.call(Row(9, 8, 7), null, null).Logits!));
    }

    private static CausalLanguageModel Load(string name) => CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name));

    private static Tensor Row(params long[] values) => tensor(values, 1, values.Length);
}
