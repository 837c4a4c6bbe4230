using System.Text.Json;
using LoraFhe.Fixtures;

namespace LoraFhe.Tests;

/// <summary>Single options of an adapter's configuration: read, refused and written.</summary>
public sealed class PeftConfigTests
{
    [Theory]
    [InlineData("use_qalora", "true", "use_qalora")]
    [InlineData("loftq_config", """{"loftq_bits": 4}""", "loftq_config")]
    [InlineData("eva_config", """{"rho": 2.0}""", "eva_config")]
    [InlineData("corda_config", """{"corda_method": "ipm"}""", "corda_config")]
    [InlineData("lora_ga_config", """{"direction": "ArB2r"}""", "lora_ga_config")]
    [InlineData("kasa_config", """{"beta": 1}""", "kasa_config")]
    [InlineData("velora_config", """{"rank": 1}""", "velora_config")]
    [InlineData("monteclora_config", """{"n": 1}""", "monteclora_config")]
    [InlineData("arrow_config", """{"top_k": 3}""", "arrow_config")]
    [InlineData("megatron_config", """{"tp": 1}""", "megatron_config")]
    [InlineData("use_bdlora", """{"nblocks": 2}""", "use_bdlora")]
    [InlineData("alora_invocation_tokens", "[1, 2]", "alora_invocation_tokens")]
    [InlineData("trainable_token_indices", "[0, 1]", "trainable_token_indices")]
    [InlineData("layer_replication", "[[0, 2]]", "layer_replication")]
    [InlineData("target_parameters", """["experts.gate_up_proj"]""", "target_parameters")]
    [InlineData("ensure_weight_tying", "true", "ensure_weight_tying")]
    [InlineData("init_lora_weights", "\"loftq\"", "init_lora_weights is 'loftq'")]
    [InlineData("init_lora_weights", "\"eva\"", "init_lora_weights is 'eva'")]
    [InlineData("init_lora_weights", "\"corda\"", "init_lora_weights is 'corda'")]
    [InlineData("init_lora_weights", "\"lora_ga\"", "init_lora_weights is 'lora_ga'")]
    [InlineData("init_lora_weights", "\"mica\"", "init_lora_weights is 'mica'")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"", "init_lora_weights is 'pissa_niter_16'")]
    public void What_is_not_served_is_refused_by_name(string key, string value, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("adapter_config.json", $$"""{"peft_type": "LORA", "target_modules": ["q_proj"], "{{key}}": {{value}}}""");

        var error = Assert.Throws<InvalidDataException>(() => LoraConfig.FromPretrained(folder.Path));

        Assert.StartsWith("adapter_config.json: " + expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("not supported", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_of_a_configuration_are_reported_together()
    {
        using var folder = new TemporaryFolder();
        folder.Write("adapter_config.json", """{"peft_type": "LORA", "r": "4", "bias": "some", "use_qalora": true, "lora_dropout": []}""");

        var error = Assert.Throws<InvalidDataException>(() => LoraConfig.FromPretrained(folder.Path));

        foreach (var key in new[] { "'r'", "'bias'", "use_qalora", "'lora_dropout'" })
        {
            Assert.Contains(key, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_changed_option_is_written_as_changed_though_the_file_spelled_it_otherwise()
    {
        using var golden = Golden.Open("adapters/llama-layers-int");
        using var folder = new TemporaryFolder();

        PeftConfigWriter.Write(LoraConfig.FromPretrained(golden.Folder) with { LayersToTransform = [1, 0], LoraBias = true }, folder.At("c.json"));

        var written = Members(folder.At("c.json"));
        Assert.Equal("1,0", string.Join(',', written["layers_to_transform"].EnumerateArray()));
        Assert.True(written["lora_bias"].GetBoolean());
    }

    [Theory]
    [InlineData("true", InitLoraWeights.KaimingUniform)]
    [InlineData("false", InitLoraWeights.Random)]
    [InlineData("\"Gaussian\"", InitLoraWeights.Gaussian)]
    [InlineData("\"OLoRA\"", InitLoraWeights.Olora)]
    [InlineData("\"orthogonal\"", InitLoraWeights.Orthogonal)]
    [InlineData("\"pissa\"", InitLoraWeights.Pissa)]
    public void Initializations_are_read_in_any_case_and_written_as_peft_spells_them(string value, InitLoraWeights expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("adapter_config.json", $$"""{"peft_type": "LORA", "init_lora_weights": {{value}}}""");
        var config = LoraConfig.FromPretrained(folder.Path);
        PeftConfigWriter.Write(config, folder.At("again.json"));

        Assert.Equal(expected, config.InitLoraWeights);
        Assert.Equal(value, Members(folder.At("again.json"))["init_lora_weights"].GetRawText(), ignoreCase: true);
    }

    private static Dictionary<string, JsonElement> Members(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.Clone(), StringComparer.Ordinal);
    }
}
