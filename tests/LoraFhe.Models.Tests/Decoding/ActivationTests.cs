using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

public sealed class ActivationTests
{
    [Theory]
    [InlineData("gelu_new")]
    [InlineData("gelu_fast")]
    [InlineData("gelu_pytorch_tanh")]
    public void The_approximations_of_gelu_are_one_formula(string name) =>
        Is(name, x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))));

    [Fact]
    public void Gelu_is_exact() => Is("gelu", x => x * NormalDistribution(x));

    [Theory]
    [InlineData("silu")]
    [InlineData("swish")]
    public void Silu_has_two_names(string name) => Is(name, x => x / (1 + Math.Exp(-x)));

    [Fact]
    public void Relu_cuts_off() => Is("relu", x => Math.Max(x, 0));

    [Fact]
    public void Tanh_is_the_hyperbolic_tangent() => Is("tanh", Math.Tanh);

    private static void Is(string name, Func<double, double> formula)
    {
        using var scope = NewDisposeScope();
        var input = linspace(-4, 4, 81, float64);

        var output = Activation.Of(name)(input).data<double>().ToArray();

        Assert.All(input.data<double>().ToArray().Zip(output), pair => Assert.Equal(formula(pair.First), pair.Second, 1e-9));
    }

    // Simpson's rule from far out, where nothing is left.
    private static double NormalDistribution(double x)
    {
        const int Steps = 20_000;
        const double From = -9;
        var step = (x - From) / Steps;
        var sum = Density(From) + Density(x);
        for (var i = 1; i < Steps; i++)
        {
            sum += (i % 2 == 0 ? 2 : 4) * Density(From + (i * step));
        }

        return sum * step / 3;

        static double Density(double value) => Math.Exp(-value * value / 2) / Math.Sqrt(2 * Math.PI);
    }
}
