using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Models that are made, not loaded: their weights are drawn as transformers draws them.</summary>
public sealed class FreshModelTests
{
    [Theory]
    [InlineData("llama-bias")]
    [InlineData("gpt2-untied")]
    public void Matrices_have_their_deviation_biases_are_zero_norms_one_and_the_loss_is_near_that_of_guessing(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Make(name);
        var ids = randint(0, model.VocabularySize, [4, 16], ScalarType.Int64);

        var output = model.call(ids, null, ids);

        Assert.True(model.training);
        Assert.Equal(Math.Log(model.VocabularySize), output.Loss!.item<float>(), 0.1);
        foreach (var (parameterName, parameter) in model.named_parameters())
        {
            if (parameter.dim() > 1)
            {
                // What ends on the residual stream of a GPT-2 of two layers is drawn with 0.02 / √4. Six standard errors of a sample's
                // deviation: a false alarm in one of ten million runs.
                var expected = parameterName.EndsWith("c_proj.weight", StringComparison.Ordinal) ? 0.01 : 0.02;
                Assert.Equal(expected, parameter.std().item<float>(), 6 * expected / Math.Sqrt(2 * parameter.numel()));
            }
            else
            {
                var constant = parameterName.EndsWith(".bias", StringComparison.Ordinal) ? 0f : 1f;
                Assert.All(parameter.data<float>().ToArray(), value => Assert.Equal(constant, value));
            }
        }
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("-1", 299)]
    public void A_llama_does_not_train_the_embedding_of_its_padding(string padding, int row)
    {
        using var scope = NewDisposeScope();
        using var model = Make("llama-gqa", "pad_token_id", padding);
        var ids = tensor(new long[] { 5, row, 6 }, 1, 3);
        var embedding = model.parameters().First();

        model.call(ids, null, ids).Loss!.backward();

        Assert.Equal(0, embedding[row].abs().max().item<float>());
        Assert.Equal(0, embedding.grad![row].abs().max().item<float>());
        Assert.NotEqual(0, embedding.grad[5].abs().max().item<float>());
    }

    private static CausalLanguageModel Make(string name, string? option = null, string value = "null")
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFolder.Fixture("models", name, "config.json")))!.AsObject();
        if (option is not null)
        {
            json[option] = JsonNode.Parse(value);
        }

        return name.StartsWith("gpt2", StringComparison.Ordinal)
            ? new Gpt2LMHeadModel(Gpt2Config.Parse(json.ToJsonString()))
            : new LlamaForCausalLM(LlamaConfig.Parse(json.ToJsonString()));
    }
}
