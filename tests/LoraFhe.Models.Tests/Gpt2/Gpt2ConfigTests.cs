using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace LoraFhe.Models.Tests;

public sealed class Gpt2ConfigTests
{
    private const string Least = """{ "model_type": "gpt2", "vocab_size": 10, "n_positions": 16, "n_embd": 8, "n_layer": 2, "n_head": 2 }""";

    [Fact]
    public void Absent_keys_have_the_defaults_of_transformers()
    {
        var config = Gpt2Config.Parse(Least);

        Assert.Equal((10, 16, 8), (config.VocabularySize, config.MaxPositionEmbeddings, config.HiddenSize));
        Assert.Equal((2, 2, 32L, "gelu_new"), (config.LayerCount, config.HeadCount, config.InnerSize, config.ActivationFunction));
        Assert.Equal((1e-5, 0.02), (config.LayerNormEpsilon, config.InitializerRange));
        Assert.Equal((0.1, 0.1, 0.1), (config.EmbeddingDropout, config.AttentionDropout, config.ResidualDropout));
        Assert.True(config.ScaleAttentionWeights && config.TieWordEmbeddings);
        Assert.False(config.ScaleAttentionByInverseLayerIndex);
        Assert.Empty(config.EndOfSequenceIds);
        Assert.Null(config.PadTokenId);
        Assert.Null(config.ProblemType);
        Assert.Equal(["LABEL_0", "LABEL_1"], config.Labels);
    }

    [Fact]
    public void The_sizes_have_the_names_of_other_families_too()
    {
        var config = Gpt2Config.Parse("""
            { "vocab_size": 10, "max_position_embeddings": 16, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "n_embd": 8 }
            """);

        Assert.Equal((16, 8, 2, 2), (config.MaxPositionEmbeddings, config.HiddenSize, config.LayerCount, config.HeadCount));
    }

    [Theory]
    [InlineData("""{"0": "no", "1": "yes", "2": "perhaps"}""", new[] { "no", "yes", "perhaps" })]
    [InlineData("""{"1": "yes", "0": "no"}""", new[] { "no", "yes" })]
    [InlineData("""{"0": "only"}""", new[] { "only" })]
    [InlineData("""{"5": "far"}""", new[] { "LABEL_0" })]
    [InlineData("{}", new[] { "LABEL_0", "LABEL_1" })]
    public void Classes_have_the_names_of_id2label_by_their_numbers(string value, string[] expected) =>
        Assert.Equal(expected, With("id2label", value).Labels);

    [Fact]
    public void A_class_that_is_named_twice_has_the_last_name() => Assert.Equal(
        ["no", "never"],
        Gpt2Config.Parse(Least.Replace("}", """, "id2label": { "0": "no", "1": "yes", "1": "never" } }""", StringComparison.Ordinal)).Labels);

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    public void The_class_of_the_model_need_not_be_stated(string value) => Assert.Equal(10, With("architectures", value).VocabularySize);

    [Fact]
    public void The_number_of_classes_may_stand_alone() => Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"], With("num_labels", "3").Labels);

    [Theory]
    [InlineData("\"regression\"", ProblemType.Regression)]
    [InlineData("\"single_label_classification\"", ProblemType.SingleLabelClassification)]
    [InlineData("\"multi_label_classification\"", ProblemType.MultiLabelClassification)]
    [InlineData("null", null)]
    public void A_kind_of_problem_may_be_stated(string value, ProblemType? expected) => Assert.Equal(expected, With("problem_type", value).ProblemType);

    [Theory]
    [InlineData("vocab_size", "0", "'vocab_size' is not a whole number from 1; it is 0.")]
    [InlineData("n_embd", "8.5", "'n_embd' is not a whole number from 1; it is 8.5.")]
    [InlineData("n_head", "3", "'n_embd' is not a multiple of 'n_head', 3; it is 8.")]
    [InlineData("n_inner", "0", "'n_inner' is not a whole number from 1; it is 0.")]
    [InlineData("hidden_size", "12", "'hidden_size' is not what 'n_embd', its other name, is: 8; it is 12.")]
    [InlineData("layer_norm_epsilon", "0", "'layer_norm_epsilon' is not a number above 0; it is 0.")]
    [InlineData("attn_pdrop", "1.0", "'attn_pdrop' is not a number from 0 to below 1; it is 1.0.")]
    [InlineData("scale_attn_weights", "1", "'scale_attn_weights' is not true or false.")]
    [InlineData("add_cross_attention", "true", "'add_cross_attention' is true, which is not supported; only false is.")]
    [InlineData("model_type", "\"llama\"", "'model_type' is \"llama\", which is not supported; 'gpt2' is.")]
    [InlineData("id2label", "[]", "'id2label' is not an object.")]
    public void A_faulty_value_is_refused_with_file_and_key(string key, string value, string text) =>
        Assert.Equal("config.json: " + text, Assert.Throws<InvalidDataException>(() => With(key, value)).Message);

    [Theory]
    [InlineData("vocab_size")]
    [InlineData("n_positions")]
    [InlineData("n_embd")]
    [InlineData("n_layer")]
    [InlineData("n_head")]
    public void A_size_must_be_given(string key)
    {
        var json = JsonNode.Parse(Least)!.AsObject();
        json.Remove(key);

        var exception = Assert.Throws<InvalidDataException>(() => Gpt2Config.Parse(json.ToJsonString()));
        Assert.Equal($"config.json: '{key}' is missing.", exception.Message);
    }

    private static Gpt2Config With(string key, string value)
    {
        var json = JsonNode.Parse(Least)!.AsObject();
        json[key] = JsonNode.Parse(value);
        return Gpt2Config.Parse(json.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }
}
