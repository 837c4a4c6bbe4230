using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>An adapter's folder: what is written to it, and read back.</summary>
public sealed class AdapterFolderTests
{
    private const string ConfigFile = "adapter_config.json";
    private const string WeightsFile = "adapter_model.safetensors";

    [Fact]
    public void A_loaded_adapter_is_frozen_unless_it_is_to_be_trained_on()
    {
        using var folder = new TemporaryFolder();
        using (var saved = LoraModel.Apply(new SimpleMlp(), new LoraConfig { TargetModules = ["fc1", "fc2"] }))
        {
            saved.SavePretrained(folder.Path);
        }

        using var frozen = LoraModel.FromPretrained(new SimpleMlp(), folder.Path);
        using var trainable = LoraModel.FromPretrained(new SimpleMlp(), folder.Path, isTrainable: true);

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
    [InlineData("it lacks a tensor", "adapter_model.safetensors: 'base_model.model.fc3.lora_B.weight' is missing.")]
    [InlineData("a value is not finite", "adapter_model.safetensors: 'base_model.model.fc3.lora_B.weight' has a value that is not finite.")]
    public void A_file_that_does_not_fit_changes_no_value(string fault, string expected)
    {
        using var folder = new TemporaryFolder();
        var config = new LoraConfig { R = 2, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };
        using var model = LoraModel.Apply(new SimpleMlp(), config);
        using var saved = LoraModel.Apply(new SimpleMlp(), config);
        saved.SavePretrained(folder.Path);
        List<SafetensorsTensor> tensors;
        using (var file = SafetensorsFile.Open(folder.At(WeightsFile)))
        {
            tensors = [.. file.Entries.Select(entry => SafetensorsTensor.FromSingles(entry.Name, [.. entry.Shape], file.ReadSingles(entry.Name)))];
        }

        var last = tensors.Single(tensor => tensor.Name == "base_model.model.fc3.lora_B.weight");
        tensors.Remove(last);
        if (fault.StartsWith('a'))
        {
            tensors.Add(SafetensorsTensor.FromSingles(last.Name, last.Shape, Enumerable.Repeat(float.NaN, 128).ToArray()));
        }

        SafetensorsWriter.Write(folder.At(WeightsFile), tensors, new Dictionary<string, string>());
        var before = AdapterState.Of(model);

        var error = Assert.Throws<InvalidDataException>(() => model.LoadAdapter(folder.Path));

        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, AdapterState.Of(model));
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
}
