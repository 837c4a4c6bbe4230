using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

public sealed class LlamaForCausalLMTests
{
    [Fact]
    public void A_loaded_model_is_in_evaluation_mode_and_all_its_parameters_are_trainable()
    {
        using var recorded = LlamaCase.Open("llama-gqa");

        Assert.False(recorded.Model.training);
        Assert.All(recorded.Model.modules(), module => Assert.False(module.training));
        Assert.All(recorded.Model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_model_made_inside_a_dispose_scope_outlives_it()
    {
        LlamaForCausalLM model;
        using (NewDisposeScope())
        {
            model = LlamaForCausalLM.FromPretrained(Fixtures.RepositoryFolder.Fixture("models", "llama-tied"));
        }

        using (model)
        using (NewDisposeScope())
        {
            Assert.Equal([1, 2, 300], model.call(tensor(new long[] { 3, 4 }, 1, 2), null, null).Logits!.shape);
        }
    }

    [Fact]
    public void The_head_of_a_tied_model_follows_its_embedding_through_a_change_of_type()
    {
        using var scope = NewDisposeScope();
        using var recorded = LlamaCase.Open("llama-tied");
        var ids = recorded.Int64s("b1.input_ids");
        recorded.Model.to(float64);

        var embedding = Assert.Single(recorded.Model.named_parameters(), p => p.parameter.shape is [300, _]).parameter;
        using (no_grad())
        {
            embedding.zero_();
        }

        Assert.Equal(0.0, recorded.Model.call(ids, null, null).Logits!.abs().max().item<double>());
    }

    [Fact]
    public void A_fresh_model_has_the_configured_deviation_norms_of_one_and_a_loss_near_that_of_guessing()
    {
        using var scope = NewDisposeScope();
        var config = LlamaConfig.Load(Fixtures.RepositoryFolder.Fixture("models", "llama-bias"));
        using var model = new LlamaForCausalLM(config);
        var ids = randint(0, config.VocabularySize, [4, 16], ScalarType.Int64);

        var output = model.call(ids, null, ids);

        Assert.True(model.training);
        Assert.Equal(Math.Log(config.VocabularySize), output.Loss!.item<float>(), 0.1);
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (parameter.dim() > 1)
            {
                // Six standard errors of a sample's deviation: a false alarm in one of ten million runs.
                var tolerance = 6 * config.InitializerRange / Math.Sqrt(2 * parameter.numel());
                Assert.Equal(config.InitializerRange, parameter.std().item<float>(), tolerance);
            }
            else
            {
                var constant = name.EndsWith(".bias", StringComparison.Ordinal) ? 0f : 1f;
                Assert.All(parameter.data<float>().ToArray(), value => Assert.Equal(constant, value));
            }
        }
    }

    [Fact]
    public void Attention_dropout_acts_in_training_only()
    {
        using var scope = NewDisposeScope();
        var json = File.ReadAllText(Fixtures.RepositoryFolder.Fixture("models", "llama-gqa", "config.json"));
        using var model = new LlamaForCausalLM(LlamaConfig.Parse(json.Replace("\"attention_dropout\": 0.0", "\"attention_dropout\": 0.5")));
        var ids = arange(20, ScalarType.Int64).unsqueeze(0);

        var (first, second) = (model.call(ids, null, null).Logits!, model.call(ids, null, null).Logits!);
        model.eval();
        var (third, fourth) = (model.call(ids, null, null).Logits!, model.call(ids, null, null).Logits!);

        Assert.False(first.Equals(second));
        Assert.True(third.Equals(fourth));
    }

    [Fact]
    public void Padding_on_either_side_does_not_reach_the_tokens()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = LlamaCase.Open("llama-gqa");
        var ids = Row(9, 8, 7, 6);
        var alone = recorded.Model.call(ids, null, null).Logits!;

        var right = recorded.Model.call(Row(9, 8, 7, 6, 0, 0), Row(1, 1, 1, 1, 0, 0), null).Logits!;
        var left = recorded.Model.LastLogits(Row(0, 0, 9, 8, 7, 6), Row(0, 0, 1, 1, 1, 1), Row(0, 0, 0, 1, 2, 3), cache: null);

        Close.Within(1e-5, alone, right.narrow(1, 0, 4), "right");
        Close.Within(1e-5, alone.select(1, 3), left, "left");
    }

    [Fact]
    public void A_text_without_any_label_has_a_loss_that_is_not_a_number()
    {
        using var scope = NewDisposeScope();
        using var recorded = LlamaCase.Open("llama-gqa");
        var ids = tensor(new long[] { 1, 2 }, 1, 2);

        Assert.True(float.IsNaN(recorded.Model.call(ids, null, full_like(ids, -100)).Loss!.item<float>()));
    }

    [Fact]
    public void Inputs_of_a_wrong_shape_type_or_range_are_refused_by_name_and_without_their_values()
    {
        using var scope = NewDisposeScope();
        using var recorded = LlamaCase.Open("llama-gqa");
        var ids = tensor(new long[] { 1, 2, 3 }, 1, 3);

        Refused("inputIds", "The input ids are [3]; expected [batch, length]", ids[0], null, null);
        Refused("inputIds", "The input ids are [0, 3]", zeros([0, 3], ScalarType.Int64), null, null);
        Refused("inputIds", "'inputIds' is Float32; expected Int64.", ids.to(float32), null, null);
        Refused("inputIds", "ids are 0 to 299", tensor(new long[] { 1, 300 }, 1, 2), null, null);
        Refused("inputIds", "ids are 0 to 299", tensor(new long[] { 1, -1 }, 1, 2), null, null);
        Refused("attentionMask", "'attentionMask' is [1, 2]; expected the input ids' shape, [1, 3].", ids, ids.narrow(1, 0, 2), null);
        Refused("labels", "'labels' is [1, 2]; expected the input ids' shape, [1, 3].", ids, null, ids.narrow(1, 0, 2));
        Refused("labels", "'labels' is Float32; expected Int64.", ids, null, ids.to(float32));
        Refused("labels", "neither -100 nor of the model's vocabulary", ids, null, tensor(new long[] { 1, 2, -1 }, 1, 3));
        Refused("labels", "neither -100 nor of the model's vocabulary", ids, null, tensor(new long[] { 1, 2, 300 }, 1, 3));

        void Refused(string parameter, string text, Tensor inputIds, Tensor? attentionMask, Tensor? labels)
        {
            var exception = Assert.Throws<ArgumentException>(parameter, () => recorded.Model.call(inputIds, attentionMask, labels));
            Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        }
    }

    private static Tensor Row(params long[] values) => tensor(values, 1, values.Length);
}
