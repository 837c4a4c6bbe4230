using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace LoraFhe.Models.Tests;

public sealed class LlamaConfigTests
{
    private const string Least = """
        {
            "model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 16,
            "num_hidden_layers": 2, "num_attention_heads": 2
        }
        """;

    [Fact]
    public void Absent_keys_have_the_defaults_of_transformers()
    {
        var config = LlamaConfig.Parse(Least);

        Assert.Equal((10, 8, 16), (config.VocabularySize, config.HiddenSize, config.IntermediateSize));
        Assert.Equal((2, 2), (config.LayerCount, config.HeadCount));
        Assert.Equal((2, 4, 2048), (config.KeyValueHeadCount, config.HeadDim, config.MaxPositionEmbeddings));
        Assert.Equal((1e-6, 0.02, 0.0), (config.RmsNormEpsilon, config.InitializerRange, config.AttentionDropout));
        Assert.False(config.AttentionBias || config.MlpBias || config.TieWordEmbeddings);
        Assert.Empty(config.EndOfSequenceIds);
        Assert.Null(config.StoredType);
        Assert.Equal((RotaryType.Default, 10000.0, 1.0), (config.Rotary.Type, config.Rotary.Theta, config.Rotary.Factor));
    }

    [Fact]
    public void A_null_is_as_good_as_an_absent_key()
    {
        string[] keys = ["head_dim", "num_key_value_heads", "rope_scaling", "eos_token_id", "quantization_config"];

        var config = With([.. keys.SelectMany(key => new[] { key, "null" })]);

        Assert.Equal((2, 4), (config.KeyValueHeadCount, config.HeadDim));
        Assert.Empty(config.EndOfSequenceIds);
    }

    [Theory]
    [InlineData("2", new[] { 2 })]
    [InlineData("[128001, 128008, 128009]", new[] { 128001, 128008, 128009 })]
    [InlineData("[]", new int[0])]
    public void The_end_token_may_be_one_or_a_list(string value, int[] expected) =>
        Assert.Equal(expected, With("eos_token_id", value).EndOfSequenceIds);

    [Theory]
    [InlineData("dtype")]
    [InlineData("torch_dtype")]
    public void The_stored_type_has_two_spellings(string key) => Assert.Equal("bfloat16", With(key, "\"bfloat16\"").StoredType);

    [Theory]
    [InlineData("rope_parameters", "rope_type")]
    [InlineData("rope_scaling", "rope_type")]
    [InlineData("rope_scaling", "type")]
    public void Rotary_options_have_three_spellings(string section, string type)
    {
        var options = $$"""{ "{{type}}": "linear", "factor": 4.0, "rope_theta": 500000.0 }""";

        var rotary = With(section, options, "rope_theta", "20000.0").Rotary;

        Assert.Equal((RotaryType.Linear, 4.0, 500000.0), (rotary.Type, rotary.Factor, rotary.Theta));
    }

    [Fact]
    public void The_base_may_stand_beside_the_scaling()
    {
        var rotary = With("rope_scaling", """{ "type": "linear", "factor": 2 }""", "rope_theta", "20000.0").Rotary;

        Assert.Equal((RotaryType.Linear, 20000.0), (rotary.Type, rotary.Theta));
    }

    [Theory]
    [InlineData("vocab_size", "0", "'vocab_size' is not a whole number from 1; it is 0.")]
    [InlineData("hidden_size", "8.5", "'hidden_size' is not a whole number from 1; it is 8.5.")]
    [InlineData("hidden_size", "3000000000", "'hidden_size' is not a whole number from 1; it is 3000000000.")]
    [InlineData("intermediate_size", "\"16\"", "'intermediate_size' is not a whole number from 1; it is \"16\".")]
    [InlineData("num_hidden_layers", "-1", "'num_hidden_layers' is not a whole number from 1; it is -1.")]
    [InlineData("num_attention_heads", "null", "'num_attention_heads' is not a whole number from 1; it is null.")]
    [InlineData(
        "num_attention_heads",
        "3",
        "'hidden_size' is not an even multiple of 'num_attention_heads', 3, as 'head_dim' is not given; it is 8.")]
    [InlineData("num_key_value_heads", "3", "'num_key_value_heads' is not a divisor of 'num_attention_heads', 2; it is 3.")]
    [InlineData("head_dim", "5", "'head_dim' is not an even number; it is 5.")]
    [InlineData("max_position_embeddings", "0", "'max_position_embeddings' is not a whole number from 1; it is 0.")]
    [InlineData("rms_norm_eps", "0", "'rms_norm_eps' is not a number above 0; it is 0.")]
    [InlineData("initializer_range", "-0.1", "'initializer_range' is not a number from 0; it is -0.1.")]
    [InlineData("attention_dropout", "1.0", "'attention_dropout' is not a number from 0 to below 1; it is 1.0.")]
    [InlineData("attention_bias", "1", "'attention_bias' is not true or false.")]
    [InlineData("mlp_bias", "\"no\"", "'mlp_bias' is not true or false.")]
    [InlineData("tie_word_embeddings", "0", "'tie_word_embeddings' is not true or false.")]
    [InlineData("pad_token_id", "10", "'pad_token_id' is not an id of the vocabulary, of 10 tokens, or as far from its end; it is 10.")]
    [InlineData("pad_token_id", "0.5", "'pad_token_id' is not a whole number; it is 0.5.")]
    [InlineData("eos_token_id", "-1", "'eos_token_id' is not a whole number from 0.")]
    [InlineData("eos_token_id", "[1, \"2\"]", "'eos_token_id[1]' is not a whole number from 0.")]
    [InlineData("rope_theta", "0", "'rope_theta' is not a number above 0; it is 0.")]
    [InlineData("rope_scaling", "[]", "'rope_scaling' is not an object.")]
    [InlineData("rope_scaling", """{"type": "linear"}""", "'rope_scaling.factor' is missing.")]
    [InlineData("rope_scaling", """{"type": "linear", "factor": 0.5}""", "'rope_scaling.factor' is not a number from 1; it is 0.5.")]
    [InlineData(
        "rope_scaling",
        """{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}""",
        "'rope_scaling.high_freq_factor' is missing.")]
    [InlineData(
        "rope_parameters",
        """{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0}""",
        "'rope_parameters.high_freq_factor' is not a number above 'low_freq_factor'; it is 4.0.")]
    [InlineData(
        "rope_parameters",
        """{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}""",
        "'rope_parameters.original_max_position_embeddings' is missing.")]
    public void A_faulty_value_is_refused_with_file_and_key(string key, string value, string text) =>
        Assert.Equal("config.json: " + text, Assert.Throws<InvalidDataException>(() => With(key, value)).Message);

    [Theory]
    [InlineData("model_type", "\"mistral\"", "'model_type' is \"mistral\", which is not supported; 'llama' is.")]
    [InlineData(
        "architectures",
        """["LlamaForTokenClassification"]""",
        "'architectures' is [\"LlamaForTokenClassification\"], which is not supported; 'LlamaForCausalLM' and 'LlamaForSequenceClassification' are.")]
    [InlineData(
        "hidden_act",
        "\"laplace\"",
        "'hidden_act' is \"laplace\", which is not supported; 'gelu', 'gelu_new', 'gelu_fast', 'gelu_pytorch_tanh', 'relu', 'silu', 'swish', 'tanh' are.")]
    [InlineData("is_causal", "false", "'is_causal' is false, which is not supported; only true is.")]
    [InlineData(
        "quantization_config",
        """{"bits": 4}""",
        "'quantization_config' is {\"bits\":4}, which is not supported; weights in F32, F16 or BF16 are.")]
    [InlineData(
        "rope_scaling",
        """{"type": "dynamic", "factor": 2.0}""",
        "'rope_scaling.type' is \"dynamic\", which is not supported; 'default', 'linear' and 'llama3' are.")]
    [InlineData(
        "rope_parameters",
        """{"rope_type": "yarn", "factor": 2.0}""",
        "'rope_parameters.rope_type' is \"yarn\", which is not supported; 'default', 'linear' and 'llama3' are.")]
    [InlineData(
        "rope_parameters",
        """{"rope_type": "default", "partial_rotary_factor": 0.5}""",
        "'rope_parameters.partial_rotary_factor' is 0.5, which is not supported; only 1 is.")]
    public void An_option_that_is_not_known_is_refused_with_file_and_key_and_what_is_known(string key, string value, string text) =>
        Assert.Equal("config.json: " + text, Assert.Throws<InvalidDataException>(() => With(key, value)).Message);

    [Theory]
    [InlineData("vocab_size")]
    [InlineData("hidden_size")]
    [InlineData("intermediate_size")]
    [InlineData("num_hidden_layers")]
    [InlineData("num_attention_heads")]
    public void A_size_must_be_given(string key)
    {
        var json = JsonNode.Parse(Least)!.AsObject();
        json.Remove(key);

        var exception = Assert.Throws<InvalidDataException>(() => LlamaConfig.Parse(json.ToJsonString()));
        Assert.Equal($"config.json: '{key}' is missing.", exception.Message);
    }

    [Theory]
    [InlineData("[]", "my.json: the file is not an object.")]
    [InlineData("{ \"vocab_size\": ", "my.json: not valid JSON at line 1, byte 16. Copy it again from where it came.")]
    [InlineData("", "my.json: not valid JSON at line 1, byte 0.")]
    public void A_text_that_is_no_JSON_object_is_refused_with_its_name(string json, string text)
    {
        var exception = Assert.Throws<InvalidDataException>(() => LlamaConfig.Parse(json, "my.json"));

        Assert.StartsWith(text, exception.Message, StringComparison.Ordinal);
    }

    private static LlamaConfig With(params string[] keysAndValues)
    {
        var json = JsonNode.Parse(Least)!.AsObject();
        foreach (var pair in keysAndValues.Chunk(2))
        {
            json[pair[0]] = JsonNode.Parse(pair[1]);
        }

        return LlamaConfig.Parse(json.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }
}
