using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class HybridModesTests
{
    private const double ErrorVariance = 10.5;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Torch_mode_trains_as_the_untouched_model_does(int skip)
    {
        using var scope = NewDisposeScope();
        var plain = new AdaptedMlp();
        using var hybrid = new HybridFixture(skip);

        HybridData.AssertClose(plain.call(hybrid.Input), hybrid.Output(HybridFheMode.Torch), 1e-6);
        foreach (var (expected, actual) in plain.Gradients(hybrid.Input).Zip(hybrid.Gradients(HybridFheMode.Torch)))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, 1e-6);
        }
    }

    [Fact]
    public void Disable_is_the_quantized_product_to_the_bit()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(30, 20);
        using var hybrid = Wrap(model, bits: 10);
        var weights = hybrid.Layers[0].Weights;
        var x = HybridData.Normal(3, 4, 30);

        using var noGraph = no_grad();
        var y = hybrid.Run(HybridFheMode.Disable, () => hybrid.RemoteModules[0].call(x));

        // By the page: T, S_t and x̂ in doubles; the rest as float32 tensors.
        var range = (1073694720 / Math.Sqrt(LargestSquaredNorm(weights))) - (22 * Math.Sqrt(30));
        var rows = x.Values();
        var encoded = new float[rows.Length];
        for (var t = 0; t < 4; t++)
        {
            var norm = Math.Sqrt(rows[(t * 30)..((t + 1) * 30)].Sum(value => (double)value * value));
            var scale = Math.Min(range, 1 << 23) * (1 - Math.Pow(2, -20)) / norm;
            for (var j = 0; j < 30; j++)
            {
                encoded[(t * 30) + j] = (float)(Math.Round(rows[(t * 30) + j] * scale, MidpointRounding.ToEven) / scale);
            }
        }

        var codes = tensor(Array.ConvertAll(weights.Codes.ToArray(), code => (float)code)).reshape(20, 30);
        var expected = (matmul(tensor(encoded).reshape(4, 30), codes.t()) * tensor(weights.Scales.ToArray())) + model.bias!;
        Assert.InRange(HybridData.RelativeDistance(y, expected), 0, 1e-7);
    }

    [Theory]
    [InlineData(8, 2e-2)]
    [InlineData(10, 5e-3)]
    [InlineData(12, 1.5e-3)]
    public void Disable_is_within_the_weights_rounding_of_torch(int bits, double bound)
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(options: new HybridCompileOptions { Bits = bits });

        Assert.InRange(HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Disable), hybrid.Output(HybridFheMode.Torch)), 1e-6, bound);
        foreach (var (expected, actual) in hybrid.Gradients(HybridFheMode.Torch).Zip(hybrid.Gradients(HybridFheMode.Disable)))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, bound);
        }
    }

    [Fact]
    public void Backward_is_the_adjoint_of_forward()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(40, 23, hasBias: false);
        using var hybrid = Wrap(model, bits: 8);
        var x = HybridData.Normal(1, 6, 40).requires_grad_();
        var g = HybridData.Normal(2, 6, 23);

        var y = hybrid.Run(HybridFheMode.Disable, () => hybrid.RemoteModules[0].call(x));
        y.backward([g]);

        var left = (y * g).sum().item<float>();
        var right = (x * x.grad!).sum().item<float>();
        Assert.InRange(right, left - (1e-4 * Math.Abs(left)), left + (1e-4 * Math.Abs(left)));
    }

    [Theory]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Noise_has_the_proven_size_forward_and_backward(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(48, 32, hasBias: false);
        using var hybrid = Wrap(model, bits: 8);
        var x = HybridData.Normal(1, 64, 48).requires_grad_();
        var g = HybridData.Normal(2, 64, 32);
        (Tensor Y, Tensor Gradient) Run(HybridFheMode chosen)
        {
            x.grad?.zero_();
            var y = hybrid.Run(chosen, () => hybrid.RemoteModules[0].call(x));
            y.backward([g]);
            return (y.detach(), x.grad!.clone());
        }

        var clear = Run(HybridFheMode.Disable);
        var noisy = Run(mode);

        AssertNoise(noisy.Y - clear.Y, x, hybrid.Layers[0].Weights, LayerDirection.Forward);
        AssertNoise(noisy.Gradient - clear.Gradient, g, hybrid.Layers[0].Weights, LayerDirection.Backward);
    }

    [Fact]
    public void Execute_trains_within_the_noise_of_disable()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();

        Assert.InRange(HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Execute), hybrid.Output(HybridFheMode.Disable)), 1e-7, 3e-4);
        foreach (var (expected, actual) in hybrid.Gradients(HybridFheMode.Disable).Zip(hybrid.Gradients(HybridFheMode.Execute)))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 1e-8, 3e-4);
        }
    }

    [Theory]
    [InlineData(HybridFheMode.Torch, 1e-6)]
    [InlineData(HybridFheMode.Disable, 1e-6)]
    [InlineData(HybridFheMode.Execute, 3e-4)]
    public void A_skipped_layer_changes_no_gradient(HybridFheMode mode, double bound)
    {
        using var scope = NewDisposeScope();
        using var every = new HybridFixture(skip: 0);
        using var none = new HybridFixture(skip: 3);

        foreach (var (expected, actual) in every.Gradients(mode).Zip(none.Gradients(mode)))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, bound);
        }
    }

    [Fact]
    public void Simulate_repeats_from_its_seed_and_position_and_leaves_torchs_generator_alone()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        hybrid.Hybrid.SeedSimulation(11);
        using var before = random.get_rng_state();

        var first = hybrid.Output(HybridFheMode.Simulate);
        var position = hybrid.Hybrid.SimulationPosition;
        var second = hybrid.Output(HybridFheMode.Simulate);
        hybrid.Hybrid.SeedSimulation(11, position);
        var again = hybrid.Output(HybridFheMode.Simulate);
        hybrid.Hybrid.SeedSimulation(12, position);
        var other = hybrid.Output(HybridFheMode.Simulate);

        Assert.Equal(before.bytes.ToArray(), random.get_rng_state().bytes.ToArray());
        HybridData.AssertSame(second, again);
        Assert.NotEqual(first.Values(), second.Values());
        Assert.NotEqual(other.Values(), second.Values());
        Assert.Throws<ArgumentOutOfRangeException>(() => hybrid.Hybrid.SeedSimulation(1, -1));
    }

    /// <summary>A hybrid model that is one linear layer.</summary>
    internal static HybridFheModel Wrap(Linear layer, int bits, IFheBackend? backend = null)
    {
        var hybrid = new HybridFheModel(nn.Sequential(("layer", layer)), ["layer"], backend ?? new InProcessFheBackend(new InProcessFheOptions(), new InsecureTestRandomness(3)));
        hybrid.CompileModel(
            () =>
            {
                var x = HybridData.Normal(1, 2, layer.in_features).requires_grad_();
                hybrid.RemoteModules[0].call(x).sum().backward();
            },
            new HybridCompileOptions { Bits = bits });
        return hybrid;
    }

    private static long LargestSquaredNorm(QuantizedLayer weights)
    {
        var largest = 1L;
        for (var o = 0; o < weights.OutFeatures; o++)
        {
            var sum = 0L;
            foreach (var code in weights.Codes.Slice(o * weights.InFeatures, weights.InFeatures))
            {
                sum += code * code;
            }

            largest = Math.Max(largest, sum);
        }

        return largest;
    }

    // Each output's difference over its deviation ‖w_o‖·√10.5/S_t is standard normal: over 2,048 or more of them, with outputs of one token
    // correlated, the mean square is within 1 ± 0.25 and none exceeds 6.
    private static void AssertNoise(Tensor difference, Tensor rows, QuantizedLayer weights, LayerDirection direction)
    {
        var (inputs, outputs) = (weights.Inputs(direction), weights.Outputs(direction));
        var encoder = TokenEncoder.Create(weights, direction);
        var values = difference.Values();
        var inputsOf = rows.Values();
        double squares = 0, largest = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var (token, output) = (i / outputs, i % outputs);
            double columnNorm = 0, rowNorm = 0;
            for (var j = 0; j < inputs; j++)
            {
                var (o, c) = direction == LayerDirection.Forward ? (output, j) : (j, output);
                columnNorm += Math.Pow(weights.Codes[(o * weights.InFeatures) + c], 2);
                rowNorm += Math.Pow(inputsOf[(token * inputs) + j] * (direction == LayerDirection.Forward ? 1.0 : weights.Scales[j]), 2);
            }

            var after = direction == LayerDirection.Forward ? weights.Scales[output] : 1.0;
            var deviation = Math.Sqrt(columnNorm * ErrorVariance) * after * Math.Sqrt(rowNorm) / encoder.Range;
            squares += Math.Pow(values[i] / deviation, 2);
            largest = Math.Max(largest, Math.Abs(values[i] / deviation));
        }

        Assert.InRange(squares / values.Length, 0.75, 1.25);
        Assert.InRange(largest, 2, 6);
    }
}
