using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>Adapters that were saved as they were initialized: Python's values and ours are drawn by the same rule.</summary>
public sealed class InitializationTests
{
    [Theory]
    [Recorded("adapters", "name=llama-init-default")]
    [Recorded("adapters", "name=llama-init-gaussian")]
    [Recorded("adapters", "name=gpt2-init-orthogonal")]
    public void Pythons_values_and_ours_are_drawn_by_one_rule(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var theirs = recorded.Load();
        using var ours = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden), seed: 1);

        foreach (var model in new[] { theirs, ours })
        {
            var layers = model.AdaptedLayers.Select(entry => (LoraLinear)entry.Layer).ToList();
            var (a, b) = (layers.ConvertAll(layer => (Tensor)layer.LoraA["default"].weight), layers.ConvertAll(layer => (Tensor)layer.LoraB["default"].weight));
            switch (name)
            {
                case "llama-init-default":
                    AssertUniform(cat(a), 1 / Math.Sqrt(48));
                    Assert.All(b, AssertZero);
                    break;
                case "llama-init-gaussian":
                    AssertNormal(cat(a), 0.25);
                    Assert.All(b, AssertZero);
                    break;
                default:
                    Assert.All(a.Concat(b), matrix => Assert.True(matrix.abs().max().item<float>() > 0.01f));
                    Assert.All(b.Zip(a), pair => Assert.True(pair.First.matmul(pair.Second).abs().max().item<float>() < 1e-6f));
                    break;
            }
        }
    }

    // 768 draws: none outside, and the largest within 5 % of the bound but for one run in 10¹⁷.
    private static void AssertUniform(Tensor draws, double bound) => Assert.InRange(draws.abs().max().item<float>(), 0.95 * bound, bound);

    // The deviation of 768 draws is itself spread by 2.6 %: six times that.
    private static void AssertNormal(Tensor draws, double deviation) => Assert.InRange(draws.std().item<float>() / deviation, 0.84, 1.16);

    private static void AssertZero(Tensor matrix) => Assert.Equal(0f, matrix.abs().max().item<float>());
}
