using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class InitLoraWeightsTests
{
    // in = 4096, r = 16: 65 536 draws of A.
    private static LoraLayer Make(InitLoraWeights scheme)
    {
        var model = LoraModel.Apply(
            nn.Sequential(("fc", nn.Linear(4096, 256, hasBias: false))),
            new LoraConfig { R = 16, TargetModules = ["fc"], InitLoraWeights = scheme },
            seed: 3);
        return model.AdaptedLayers[0].Layer;
    }

    [Fact]
    public void Kaiming_uniform_fills_one_over_the_root_of_the_inputs_and_B_is_zero()
    {
        using var scope = NewDisposeScope();
        var layer = Make(InitLoraWeights.KaimingUniform);

        AssertUniform(layer.A(), 1.0 / 64);
        Assert.Equal(0f, layer.B().abs().max().item<float>());
    }

    [Fact]
    public void Gaussian_has_a_deviation_of_one_over_the_rank_and_B_is_zero()
    {
        using var scope = NewDisposeScope();
        var layer = Make(InitLoraWeights.Gaussian);

        // The deviation of 65 536 normal draws is itself spread by 0.28 %; the mean by 0.4 % of it. Six times that: one false alarm in 10⁸.
        var deviation = layer.A().std().item<float>();
        Assert.True(Math.Abs(deviation * 16 - 1) < 0.017, $"the deviation is {deviation}, 1/16 ± 1.7 % was expected");
        Assert.True(Math.Abs(layer.A().mean().item<float>()) < 0.024 / 16);
        Assert.True(layer.A().abs().max().item<float>() > 3.0 / 16);
        Assert.Equal(0f, layer.B().abs().max().item<float>());
    }

    [Fact]
    public void Random_draws_both_as_a_new_linear_layer()
    {
        using var scope = NewDisposeScope();
        var layer = Make(InitLoraWeights.Random);

        AssertUniform(layer.A(), 1.0 / 64);
        AssertUniform(layer.B(), 1.0 / 4);
    }

    [Fact]
    public void Orthogonal_starts_neither_matrix_at_zero_and_their_product_there()
    {
        using var scope = NewDisposeScope();
        var layer = Make(InitLoraWeights.Orthogonal);

        // A column of A mixes 8 normal draws through rows of an orthogonal matrix: its squared length is (χ² of 8)/100 on average.
        Assert.InRange(layer.A().square().sum([0L]).mean().item<float>(), 0.076f, 0.084f);
        Assert.InRange(layer.B().square().sum([1L]).mean().item<float>(), 0.065f, 0.095f);
        Assert.True(layer.B().matmul(layer.A()).abs().max().item<float>() < 1e-6f);
    }

    // At least 4096 draws: none outside the bound, the largest within 1 % of it but for one run in e⁴⁰, the deviation bound/√3 within 5 %.
    private static void AssertUniform(Tensor matrix, double bound)
    {
        var largest = matrix.abs().max().item<float>();
        var deviation = matrix.std().item<float>() * Math.Sqrt(3) / bound;
        Assert.InRange(largest, 0.99 * bound, bound);
        Assert.InRange(deviation, 0.95, 1.05);
        Assert.InRange(matrix.mean().item<float>(), -0.1 * bound, 0.1 * bound);
    }
}
