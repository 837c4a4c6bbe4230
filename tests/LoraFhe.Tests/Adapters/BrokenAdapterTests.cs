using LoraFhe.Fixtures;

namespace LoraFhe.Tests;

/// <summary>
/// Faulty adapter folders. Where peft 0.21.2 fails, so do we; where it goes on silently or with a warning, we refuse what would give
/// another model than the file means: tensors that are missing, that belong nowhere, or that are no numbers of the right kind.
/// </summary>
public sealed class BrokenAdapterTests
{
    private const string Prefix = "base_model.model.model.layers.0.self_attn.";

    public static TheoryData<string, string> Refused => new()
    {
        { "alpha-missing", $"adapter_model.safetensors: '{Prefix}q_proj.lora_A.weight' is [4, 48]; the layer needs [8, 48]." },
        { "bias-unknown", "adapter_config.json: 'bias' is 'sometimes'; it must be one of 'none', 'all', 'lora_only'." },
        { "config-array", "adapter_config.json: its JSON is not an object." },
        { "config-missing", "Folder 'config-missing' has no 'adapter_config.json'." },
        { "config-not-json", "adapter_config.json: not valid JSON at line 1, byte " },
        { "dora-without-magnitude", "adapter_config.json: use_dora is set, which is not supported. Leave it out." },
        { "empty-file", $"adapter_model.safetensors: '{Prefix}q_proj.lora_A.weight' and 7 more tensors are missing." },
        { "extra-layer", $"adapter_model.safetensors: '{Prefix}k_proj.lora_A.weight' belongs to no adapted layer" },
        { "extra-layer-index", "adapter_model.safetensors: 'base_model.model.model.layers.17.self_attn.q_proj.lora_A.weight' belongs to no adapted layer" },
        { "extra-tensor", "adapter_model.safetensors: " },
        { "int-tensor", "adapter_model.safetensors: " },
        { "layers-out-of-range", "adapter_config.json: No linear layer of 'SkeletonModel' matches target modules" },
        { "layers-with-regex", "adapter_config.json: LayersToTransform is set and TargetModules is a regular expression." },
        { "missing-layer", "adapter_model.safetensors: 'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight' and 1 more tensors are missing." },
        { "missing-tensor", $"adapter_model.safetensors: '{Prefix}q_proj.lora_B.weight' is missing." },
        { "modules-to-save-missing", "adapter_model.safetensors: 'base_model.model.lm_head.weight' is missing." },
        { "no-prefix", "adapter_model.safetensors: " },
        { "peft-type-ia3", "adapter_config.json: 'peft_type' is 'IA3'; only 'LORA' is supported." },
        { "peft-type-missing", "adapter_config.json: 'peft_type' is missing." },
        { "peft-type-unknown", "adapter_config.json: 'peft_type' is 'FOOTUNER'; only 'LORA' is supported." },
        { "rank-negative", "adapter_config.json: R is -3; a rank is at least 1." },
        { "rank-string", "adapter_config.json: 'r' is a JSON String; an integer was expected." },
        { "rank-zero", "adapter_config.json: R is 0; a rank is at least 1." },
        { "target-bad-regex", "adapter_config.json: TargetModules: '" },
        { "target-layernorm", "adapter_config.json: Target modules 'q_proj', 'v_proj', 'input_layernorm' match 'model.layers.0.input_layernorm', a 'LayerNorm'" },
        { "target-no-match", "adapter_config.json: No linear layer of 'SkeletonModel' matches target modules 'nonexistent_proj'" },
        { "task-type-unknown", "adapter_config.json: 'task_type' is 'WRITE_POEMS'; it must be one of 'SEQ_CLS', " },
        { "weights-corrupt", "adapter_model.safetensors" },
        { "weights-missing", "Folder 'weights-missing' has no 'adapter_model.safetensors'." },
        { "wrong-base", $"adapter_model.safetensors: '{Prefix}q_proj.lora_A.weight' is [4, 56]; the layer needs [4, 48]." },
        { "wrong-rank", $"adapter_model.safetensors: '{Prefix}q_proj.lora_A.weight' is [4, 48]; the layer needs [5, 48]." },
        { "wrong-shape-A", $"adapter_model.safetensors: '{Prefix}q_proj.lora_A.weight' is [4, 49]; the layer needs [4, 48]." },
        { "wrong-shape-B", "adapter_model.safetensors: 'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight' is [4, 144]; the layer needs [144, 4]." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_faulty_adapter_is_refused_by_file_and_key(string name, string expected)
    {
        using var golden = Golden.Open($"adapters-broken/{name}");
        using var model = SkeletonModel.Of(golden.Expected["base_model"].AsString);

        var names = model.named_parameters().Select(entry => entry.name).ToArray();
        var error = Assert.ThrowsAny<Exception>(() => LoraModel.FromPretrained(model, golden.Folder));

        Assert.True(error is InvalidDataException or FileNotFoundException, error.GetType().Name);
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(names, model.named_parameters().Select(entry => entry.name));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Theory]
    [InlineData("adapter-name-in-key")]
    [InlineData("alpha-float")]
    [InlineData("alpha-negative")]
    [InlineData("future-key")]
    [InlineData("nan-tensor")]
    [InlineData("target-embedding-regex")]
    [InlineData("target-partial-match")]
    public void What_peft_accepts_and_means_is_accepted(string name)
    {
        using var golden = Golden.Open($"adapters-broken/{name}");
        Assert.Equal("accepted", golden.Expected["outcome"].AsString);

        using var model = LoraModel.FromPretrained(SkeletonModel.Of(golden.Expected["base_model"].AsString), golden.Folder);

        Assert.Equal(4, model.AdaptedLayers.Count);
    }

    [Fact]
    public void Every_recorded_folder_is_in_one_of_the_two_lists()
    {
        string[] accepted = ["adapter-name-in-key", "alpha-float", "alpha-negative", "future-key", "nan-tensor", "target-embedding-regex", "target-partial-match"];
        var listed = Refused.Select(row => row.Data.Item1).Concat(accepted);
        var recorded = Directory.EnumerateDirectories(RepositoryFolder.Fixture("adapters-broken")).Select(folder => Path.GetFileName(folder)!);

        Assert.Equal(recorded.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("gpt2-dora")]
    [InlineData("llama-dora")]
    [InlineData("llama-dora-bias")]
    public void An_option_that_is_not_served_is_refused_by_name(string name)
    {
        using var golden = Golden.Open($"adapters/{name}");
        using var model = SkeletonModel.Of(golden.Expected["base_model"].AsString);

        var error = Assert.Throws<InvalidDataException>(() => LoraModel.FromPretrained(model, golden.Folder));

        Assert.StartsWith("adapter_config.json: use_dora is set, which is not supported.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(ModuleSurgery.Descendants(model), place => place.Module is LoraLayer);
    }

    [Fact]
    public void Unknown_keys_are_told_to_the_logger_and_dropped()
    {
        using var golden = Golden.Open("adapters-broken/future-key");
        var logger = new RecordingLogger();

        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder, logger: logger);

        Assert.Equal(["adapter_config.json: unknown options are ignored: some_future_option, use_super_lora."], logger.Lines.Select(Sorted));

        static string Sorted(string message) => message.Replace("use_super_lora, some_future_option", "some_future_option, use_super_lora", StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_of_a_configuration_are_reported_together()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("adapter_config.json"), """{"peft_type": "LORA", "r": "4", "bias": "some", "use_dora": true, "lora_dropout": []}""");

        var error = Assert.Throws<InvalidDataException>(() => LoraConfig.FromPretrained(folder.Path));

        foreach (var key in new[] { "'r'", "'bias'", "use_dora", "'lora_dropout'" })
        {
            Assert.Contains(key, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_that_does_not_fit_changes_no_value()
    {
        using var golden = Golden.Open("adapters-broken/missing-tensor");
        using var intact = Golden.Open("adapters/llama-list");
        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), intact.Folder);
        var before = model.AdaptedLayers.Select(entry => entry.Layer.A().data<float>().ToArray()).ToArray();

        Assert.Throws<InvalidDataException>(() => model.LoadAdapter(golden.Folder));

        Assert.Equal(before, model.AdaptedLayers.Select(entry => entry.Layer.A().data<float>().ToArray()).ToArray());
    }
}
