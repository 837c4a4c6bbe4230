using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using static LoraFhe.Models.Tests.OptionEffect;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Every option that transformers writes into a configuration is done, refused by name, or without effect there too.</summary>
public sealed class ConfigurationOptionTests
{
    public static TheoryData<string, string, OptionEffect> Gpt2 => new()
    {
        { "activation_function", "\"relu\"", Logits },
        { "activation_function", "\"laplace\"", Refused },
        { "add_cross_attention", "true", Refused },
        { "architectures", "[\"GPT2DoubleHeadsModel\"]", Refused },
        { "attn_pdrop", "0.5", Training },
        { "bos_token_id", "1", Nothing },
        { "dtype", "\"bfloat16\"", Told },
        { "embd_pdrop", "0.5", Training },
        { "eos_token_id", "1", Told },
        { "id2label", "{\"0\": \"no\", \"1\": \"yes\", \"2\": \"perhaps\"}", Told },
        { "initializer_range", "0.5", Told },
        { "is_causal", "false", Refused },
        { "is_encoder_decoder", "true", Refused },
        { "label2id", "{\"no\": 0}", Nothing },
        { "layer_norm_epsilon", "0.5", Logits },
        { "model_type", "\"gpt_neo\"", Refused },
        { "n_ctx", "8", Nothing },
        { "n_embd", "40", Parameters },
        { "n_head", "2", Logits },
        { "n_head", "5", Refused },
        { "n_inner", "96", Parameters },
        { "n_layer", "1", Parameters },
        { "n_positions", "32", Parameters },
        { "num_labels", "3", Told },
        { "pad_token_id", "1", Told },
        { "problem_type", "\"regression\"", Told },
        { "problem_type", "\"poetry\"", Refused },
        { "quantization_config", "{\"bits\": 4}", Refused },
        { "reorder_and_upcast_attn", "true", Nothing },
        { "resid_pdrop", "0.5", Training },
        { "scale_attn_by_inverse_layer_idx", "true", Logits },
        { "scale_attn_weights", "false", Logits },
        { "summary_activation", "\"tanh\"", Nothing },
        { "summary_first_dropout", "0.5", Nothing },
        { "summary_proj_to_labels", "false", Nothing },
        { "summary_type", "\"mean\"", Nothing },
        { "summary_use_proj", "false", Nothing },
        { "tie_word_embeddings", "false", Parameters },
        { "transformers_version", "\"4.0.0\"", Nothing },
        { "use_cache", "false", Nothing },
        { "vocab_size", "310", Parameters },
    };

    public static TheoryData<string, string, OptionEffect> Llama => new()
    {
        { "architectures", "[\"LlamaForTokenClassification\"]", Refused },
        { "attention_bias", "true", Parameters },
        { "attention_dropout", "0.5", Training },
        { "bos_token_id", "7", Nothing },
        { "dtype", "\"bfloat16\"", Told },
        { "eos_token_id", "7", Told },
        { "head_dim", "16", Parameters },
        { "hidden_act", "\"gelu\"", Logits },
        { "hidden_act", "\"laplace\"", Refused },
        { "hidden_size", "40", Parameters },
        { "id2label", "{\"0\": \"no\", \"1\": \"yes\", \"2\": \"perhaps\"}", Told },
        { "initializer_range", "0.5", Told },
        { "intermediate_size", "100", Parameters },
        { "is_causal", "false", Refused },
        { "label2id", "{\"no\": 0}", Nothing },
        { "max_position_embeddings", "64", Told },
        { "mlp_bias", "true", Parameters },
        { "model_type", "\"mistral\"", Refused },
        { "num_attention_heads", "2", Parameters },
        { "num_hidden_layers", "1", Parameters },
        { "num_key_value_heads", "1", Parameters },
        { "pad_token_id", "1", Told },
        { "partial_rotary_factor", "0.5", Refused },
        { "pretraining_tp", "2", Nothing },
        { "problem_type", "\"regression\"", Told },
        { "quantization_config", "{\"bits\": 4}", Refused },
        { "rms_norm_eps", "0.5", Logits },
        { "rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 100.0}", Logits },
        { "rope_parameters", "{\"rope_type\": \"linear\", \"rope_theta\": 10000.0, \"factor\": 4.0}", Logits },
        { "rope_parameters", "{\"rope_type\": \"yarn\", \"rope_theta\": 10000.0, \"factor\": 4.0}", Refused },
        { "rope_parameters", "{\"rope_type\": \"dynamic\", \"rope_theta\": 10000.0, \"factor\": 4.0}", Refused },
        { "rope_parameters", "{\"rope_type\": \"longrope\", \"rope_theta\": 10000.0, \"factor\": 4.0}", Refused },
        { "rope_parameters", "{\"rope_type\": \"default\", \"partial_rotary_factor\": 0.5}", Refused },
        { "rope_scaling", "{\"type\": \"linear\", \"factor\": 4.0}", Logits },
        { "rope_theta", "100.0", Nothing },
        { "tie_word_embeddings", "true", Parameters },
        { "torch_dtype", "\"float16\"", Nothing },
        { "transformers_version", "\"4.0.0\"", Nothing },
        { "use_cache", "false", Nothing },
        { "vocab_size", "310", Parameters },
    };

    [Theory]
    [MemberData(nameof(Gpt2))]
    public void An_option_of_gpt2_does_what_it_says_or_is_refused(string option, string value, OptionEffect effect) =>
        Check("gpt2-base", option, value, effect);

    [Theory]
    [MemberData(nameof(Llama))]
    public void An_option_of_a_llama_does_what_it_says_or_is_refused(string option, string value, OptionEffect effect) =>
        Check("llama-gqa", option, value, effect);

    [Theory]
    [InlineData("gpt2-")]
    [InlineData("llama-")]
    public void Every_option_that_transformers_writes_is_among_them(string family)
    {
        var table = family == "gpt2-" ? Gpt2 : Llama;
        var written = Directory.EnumerateDirectories(RepositoryFolder.Fixture("models"), family + "*")
            .SelectMany(folder => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject().Select(option => option.Key));

        Assert.Empty(written.Except(table.Select(row => row.Data.Item1)));
    }

    private static void Check(string name, string option, string value, OptionEffect effect)
    {
        using var scope = NewDisposeScope();
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFolder.Fixture("models", name, "config.json")))!.AsObject();
        using var plain = Make(json);
        json[option] = JsonNode.Parse(value);
        if (effect == Refused)
        {
            Assert.Contains($"'{option}", Assert.Throws<InvalidDataException>(() => Make(json)).Message, StringComparison.Ordinal);
            return;
        }

        using var changed = Make(json);
        Assert.Equal(effect != Nothing, !Properties(plain).SequenceEqual(Properties(changed)));
        Assert.Equal(effect == Parameters, !Shapes(plain).SequenceEqual(Shapes(changed)));
        if (effect == Parameters)
        {
            return;
        }

        changed.load_state_dict(plain.state_dict());
        Assert.Equal(effect == Logits, !Run(plain).allclose(Run(changed), rtol: 0, atol: 1e-5));
        changed.train();
        Assert.Equal(effect == Training, !Run(changed).allclose(Run(changed), rtol: 0, atol: 1e-5));
    }

    private static CausalLanguageModel Make(JsonObject json)
    {
        CausalLanguageModel model = json.ContainsKey("n_embd")
            ? new Gpt2LMHeadModel(Gpt2Config.Parse(json.ToJsonString()))
            : new LlamaForCausalLM(LlamaConfig.Parse(json.ToJsonString()));
        using var noGradient = no_grad();
        foreach (var parameter in model.parameters().Where(parameter => parameter.dim() > 1))
        {
            // As drawn, nothing would stand out from rounding.
            parameter.mul_(10);
        }

        model.eval();
        return model;
    }

    private static Tensor Run(CausalLanguageModel model)
    {
        using var noGradient = no_grad();
        return model.call((arange(20, ScalarType.Int64) * 7).unsqueeze(0), null, null).Logits!;
    }

    private static IEnumerable<string> Shapes(nn.Module model) =>
        model.named_parameters().Select(entry => $"{entry.name} {string.Join(",", entry.parameter.shape)}");

    private static IEnumerable<string> Properties(CausalLanguageModel model)
    {
        object config = model is Gpt2LMHeadModel gpt2 ? gpt2.Config : ((LlamaForCausalLM)model).Config;
        return config.GetType().GetProperties().OrderBy(property => property.Name, StringComparer.Ordinal).Select(property => Text(property.GetValue(config)));
    }

    private static string Text(object? value) => value switch
    {
        RotaryParameters rotary => string.Join(" ", typeof(RotaryParameters).GetProperties().Select(property => Text(property.GetValue(rotary)))),
        IEnumerable list and not string => string.Join(",", list.Cast<object>()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
