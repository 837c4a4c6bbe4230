using System.Text.Json;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Adapters as peft 0.21.2 wrote them: loaded, saved again, and compared key by key.</summary>
public sealed class AdapterFolderTests
{
    private const string ConfigFile = "adapter_config.json";
    private const string WeightsFile = "adapter_model.safetensors";

    // Half-precision files are read into single precision, and so written.
    private static readonly string[] InHalfPrecision = ["gpt2-f16file", "llama-bf16file"];

    public static TheoryData<string> Adapters => [.. RecordedAdapters.Served.Except(InHalfPrecision)];

    public static TheoryData<string> HalfAdapters => [.. InHalfPrecision];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Loaded_and_saved_again_an_adapter_is_the_same_bytes(string name)
    {
        using var golden = Golden.Open($"adapters/{name}");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(SkeletonModel.Of(golden.Expected["base_model"].AsString), golden.Folder);

        model.SavePretrained(folder.Path, saveEmbeddingLayers: name != "llama-embedding-nosave");

        Assert.Equal(File.ReadAllBytes(golden.File(WeightsFile)), File.ReadAllBytes(folder.At(WeightsFile)));
        AssertSameOptions(golden.File(ConfigFile), folder.At(ConfigFile));
        Assert.Equal([ConfigFile, WeightsFile], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(HalfAdapters))]
    public void Half_precision_files_are_saved_with_the_same_values_in_single_precision(string name)
    {
        using var golden = Golden.Open($"adapters/{name}");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(SkeletonModel.Of(golden.Expected["base_model"].AsString), golden.Folder);

        model.SavePretrained(folder.Path);

        using var written = SafetensorsFile.Open(folder.At(WeightsFile));
        var recorded = golden.Tensors(WeightsFile);
        Assert.Equal(recorded.Metadata, written.Metadata);
        Assert.Equal(recorded.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal), written.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.All(written.Entries, entry => Assert.Equal(SafetensorsDType.F32, entry.DType));
        Assert.All(written.Entries, entry => Assert.Equal(recorded.ReadSingles(entry.Name), written.ReadSingles(entry.Name)));
        AssertSameOptions(golden.File(ConfigFile), folder.At(ConfigFile));
    }

    [Fact]
    public void The_recorded_adapter_of_the_shipped_model_makes_the_round_trip()
    {
        var recorded = RepositoryFolder.Fixture("lora", "tiny-austen-proverbs", "adapter");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(SkeletonModel.OfFolder(RepositoryFolder.At("models", "tiny-austen")), recorded);

        model.SavePretrained(folder.Path);

        Assert.Equal(File.ReadAllBytes(Path.Combine(recorded, WeightsFile)), File.ReadAllBytes(folder.At(WeightsFile)));
        AssertSameOptions(Path.Combine(recorded, ConfigFile), folder.At(ConfigFile));
        using var file = SafetensorsFile.Open(Path.Combine(recorded, WeightsFile));
        foreach (var (name, layer) in model.AdaptedLayers)
        {
            Assert.Equal(file.ReadSingles($"base_model.model.{name}.lora_A.weight"), layer.A().data<float>().ToArray());
            Assert.Equal(file.ReadSingles($"base_model.model.{name}.lora_B.weight"), layer.B().data<float>().ToArray());
        }
    }

    [Fact]
    public void Half_precision_files_are_read_into_single_precision()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("adapters/llama-bf16file");
        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder);
        var (name, layer) = model.AdaptedLayers[0];

        Assert.Equal(ScalarType.Float32, layer.A().dtype);
        Assert.Equal(golden.Singles(WeightsFile, $"base_model.model.{name}.lora_A.weight").Values, layer.A().data<float>().ToArray());
    }

    [Fact]
    public void A_loaded_adapter_is_frozen_unless_it_is_to_be_trained_on()
    {
        using var golden = Golden.Open("adapters/llama-list");
        using var frozen = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder);
        using var trainable = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder, isTrainable: true);

        Assert.Empty(frozen.TrainableParameters());
        Assert.Equal(2 * trainable.AdaptedLayers.Count, trainable.TrainableParameters().Count);
    }

    [Fact]
    public void The_written_options_are_sorted_and_indented_by_two_and_read_back_alike()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), new LoraConfig
        {
            R = 3,
            LoraAlpha = 2.5,
            LoraDropout = 0.05,
            TargetModules = TargetModules.Pattern(@"fc\d"),
            ExcludeModules = ["fc4"],
            Bias = LoraBias.LoraOnly,
            UseRslora = true,
            RankPattern = new() { ["fc2"] = 2, ["fc1"] = 1 },
            AlphaPattern = new() { ["fc1"] = 4 },
            InitLoraWeights = InitLoraWeights.Random,
            TaskType = TaskType.FeatureExtraction,
            BaseModelNameOrPath = "mlp/ä",
            Revision = "main",
        });

        model.SavePretrained(folder.Path);

        Assert.Equal(
            """
            {
              "alpha_pattern": {
                "fc1": 4
              },
              "base_model_name_or_path": "mlp/ä",
              "bias": "lora_only",
              "exclude_modules": [
                "fc4"
              ],
              "fan_in_fan_out": false,
              "inference_mode": true,
              "init_lora_weights": false,
              "layers_pattern": null,
              "layers_to_transform": null,
              "lora_alpha": 2.5,
              "lora_dropout": 0.05,
              "modules_to_save": null,
              "peft_type": "LORA",
              "r": 3,
              "rank_pattern": {
                "fc2": 2,
                "fc1": 1
              },
              "revision": "main",
              "target_modules": "fc\\d",
              "task_type": "FEATURE_EXTRACTION",
              "use_dora": false,
              "use_rslora": true
            }
            """,
            File.ReadAllText(folder.At(ConfigFile)));
        using var again = new TemporaryFolder();
        using var loaded = LoraModel.FromPretrained(new SimpleMlp(), folder.Path);
        loaded.SavePretrained(again.Path);
        Assert.Equal(File.ReadAllText(folder.At(ConfigFile)), File.ReadAllText(again.At(ConfigFile)));
        Assert.Equal(File.ReadAllBytes(folder.At(WeightsFile)), File.ReadAllBytes(again.At(WeightsFile)));
    }

    [Fact]
    public void A_name_or_list_alone_stands_for_a_list_of_one()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At(ConfigFile), """{"peft_type": "LORA", "target_modules": ["fc"], "layers_to_transform": 3, "layers_pattern": "h"}""");

        var config = LoraConfig.FromPretrained(folder.Path);

        Assert.Equal([3], config.LayersToTransform);
        Assert.Equal(["h"], config.LayersPattern);
    }

    [Fact]
    public void The_values_of_another_training_can_be_read_into_an_adapter_in_use()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var config = new LoraConfig { R = 2, TargetModules = ["fc1"] };
        using var first = LoraModel.Apply(new SimpleMlp(), config, seed: 1);
        using var second = LoraModel.Apply(new SimpleMlp(), config, seed: 2);
        first.SavePretrained(folder.Path);

        second.LoadAdapter(folder.Path);

        Assert.Equal(first.AdaptedLayers[0].Layer.A().data<float>().ToArray(), second.AdaptedLayers[0].Layer.A().data<float>().ToArray());
        Assert.Equal(2, second.TrainableParameters().Count);
    }

    [Theory]
    [InlineData(LoraBias.None)]
    [InlineData(LoraBias.LoraOnly)]
    [InlineData(LoraBias.All)]
    public void A_file_does_not_show_what_hybrid_training_put_between(LoraBias bias)
    {
        using var before = new TemporaryFolder();
        using var after = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), new LoraConfig { R = 2, TargetModules = ["fc1", "fc3"], Bias = bias });
        model.SavePretrained(before.Path);

        LoraTraining.ReplaceLayersWithCustom(model, 0);
        model.SavePretrained(after.Path);

        Assert.IsType<CustomLinear>(model.AdaptedLayers[0].Layer.BaseLayer);
        Assert.Equal(File.ReadAllBytes(before.At(WeightsFile)), File.ReadAllBytes(after.At(WeightsFile)));
        model.LoadAdapter(before.Path);
    }

    // Every key written must be recorded with the same value; lists of targets are sets in peft, and all-linear is expanded by both.
    private static void AssertSameOptions(string recordedFile, string writtenFile)
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(recordedFile));
        using var written = JsonDocument.Parse(File.ReadAllBytes(writtenFile));
        foreach (var option in written.RootElement.EnumerateObject())
        {
            if (!recorded.RootElement.TryGetProperty(option.Name, out var expected))
            {
                // An early peft's file lacks what came since.
                continue;
            }

            if (option.Name is "target_modules" or "exclude_modules" && expected.ValueKind == JsonValueKind.Array)
            {
                Assert.Equal(Strings(expected), Strings(option.Value));
            }
            else
            {
                Assert.True(JsonElement.DeepEquals(expected, option.Value), $"{option.Name}: {option.Value} instead of {expected}");
            }
        }

        static IEnumerable<string> Strings(JsonElement list) => list.EnumerateArray().Select(item => item.GetString()!).Order(StringComparer.Ordinal);
    }
}
