using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>peft's <c>lora_bias</c>: B with a bias.</summary>
public sealed class LoraBiasTests
{
    private static readonly LoraConfig Config = new() { R = 2, LoraAlpha = 6, TargetModules = ["fc1"], LoraBias = true };

    [Fact]
    public void The_bias_of_B_is_trained_starts_at_zero_and_is_scaled()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var layer = (LoraLinear)model.AdaptedLayers[0].Layer;
        var bias = layer.LoraB["default"].bias!;
        var input = randn(5, 32);

        Assert.Contains("base_model.model.fc1.lora_B.default.bias", model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
        Assert.Equal(0f, bias.abs().max().item<float>());
        using (no_grad())
        {
            bias.copy_(arange(64, dtype: ScalarType.Float32));
        }

        var change = layer.call(input) - layer.BaseLayer.call(input);
        Assert.True((change - 3 * bias).abs().max().item<float>() < 1e-3f);
    }

    [Fact]
    public void It_is_merged_into_the_layers_bias_and_taken_out_again()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config with { InitLoraWeights = InitLoraWeights.Random });
        var layer = (LoraLinear)model.AdaptedLayers[0].Layer;
        var (input, own) = (randn(5, 32), layer.BaseLayer.get_parameter("bias")!);
        var (before, bare) = (layer.call(input), own.detach().clone());

        model.MergeAdapter(safeMerge: true);
        Assert.True((layer.call(input) - before).abs().max().item<float>() < 1e-5f);
        Assert.True((own - bare - 3 * layer.LoraB["default"].bias!).abs().max().item<float>() < 1e-5f);

        model.UnmergeAdapter();
        Assert.True((own - bare).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void With_the_random_start_it_is_drawn_as_a_new_layers()
    {
        using var model = LoraModel.Apply(
            nn.Sequential(("fc", nn.Linear(4, 4096, hasBias: false))),
            new LoraConfig { R = 16, TargetModules = ["fc"], LoraBias = true, InitLoraWeights = InitLoraWeights.Random }, seed: 3);
        using var scope = NewDisposeScope();

        Assert.InRange(((LoraLinear)model.AdaptedLayers[0].Layer).LoraB["default"].bias!.abs().max().item<float>(), 0.99f / 4, 1f / 4);
    }
}
