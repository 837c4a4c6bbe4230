namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>What execute adds to a product is what simulate adds: the errors at the input, seen through the weights.</summary>
/// <remarks>
/// 4,096 tokens, along the top left singular vector of W, two random ±1 vectors and one coordinate: u_t = gᵀ(z_t − S_t·W·x_t)/(3.2532·‖Wᵀg‖).
/// Bounds: |mean| &lt; 5/√n = 0.078, |variance − 1| &lt; 5√(2/n) = 0.110, two-sample Kolmogorov–Smirnov &lt; 2.69·√(2/n) = 0.0594. For fresh randomness each has a false alarm with probability below 1e-6;
/// both sides here run on fixed randomness, so a run that passes always passes. Source: docs/scheme.md, Modes.
/// </remarks>
public sealed class SimulationTests
{
    private const int Tokens = 4096;
    private const double Sigma = 3.2532;

    [Theory]
    [InlineData(LayerDirection.Forward)]
    [InlineData(LayerDirection.Backward)]
    public void Execute_and_simulate_have_one_distribution(LayerDirection direction)
    {
        var layer = LowRankLayer(48, 64);
        using var session = new Session(layer, direction, insecureSeed: 11);
        var (inputs, outputs) = (session.Client.Inputs, session.Client.Outputs);
        var rows = Layers.Rows(Tokens, inputs, 3);
        var executed = session.Run(rows, Tokens);
        var errors = new sbyte[Tokens * inputs];
        CenteredBinomial.Errors(new SplitMix(17).Bytes(errors.Length / CenteredBinomial.Batch * CenteredBinomial.ErrorBatchBytes), errors);
        var simulated = new float[Tokens * inputs];
        session.Client.Encoder.QuantizeWithErrors(rows, Tokens, errors, simulated);
        var scales = new double[Tokens];
        session.Client.Encoder.Encode(rows, Tokens, new int[rows.Length], scales);

        var random = new SplitMix(23);
        double[][] directions =
        [
            TopSingular(layer, direction),
            [.. Enumerable.Range(0, outputs).Select(_ => random.Between(0, 1) == 0 ? -1.0 : 1.0)],
            [.. Enumerable.Range(0, outputs).Select(_ => random.Between(0, 1) == 0 ? -1.0 : 1.0)],
            [.. Enumerable.Range(0, outputs).Select(static o => o == 3 ? 1.0 : 0.0)],
        ];
        foreach (var g in directions)
        {
            var pulled = Pull(layer, direction, g);
            var norm = Sigma * Math.Sqrt(pulled.Sum(static x => x * x));
            double[] execute = new double[Tokens], simulate = new double[Tokens];
            for (var t = 0; t < Tokens; t++)
            {
                var clear = 0.0;
                var noisy = 0.0;
                for (var j = 0; j < inputs; j++)
                {
                    var channel = direction == LayerDirection.Forward ? 1 : layer.Scales[j];
                    clear += pulled[j] * rows[(t * inputs) + j] * channel;
                    noisy += pulled[j] * simulated[(t * inputs) + j];
                }

                var answered = 0.0;
                for (var o = 0; o < outputs; o++)
                {
                    answered += g[o] * executed[(t * outputs) + o] / (direction == LayerDirection.Forward ? layer.Scales[o] : 1);
                }

                execute[t] = scales[t] * (answered - clear) / norm;
                simulate[t] = scales[t] * (noisy - clear) / norm;
            }

            Check("execute", execute);
            Check("simulate", simulate);
            var distance = KolmogorovSmirnov(execute, simulate);
            TestContext.Current.TestOutputHelper?.WriteLine($"Kolmogorov–Smirnov {distance:f4} (bound 0.0594)");
            Assert.True(distance < 0.0594);
        }
    }

    private static void Check(string name, double[] sample)
    {
        var mean = sample.Average();
        var variance = sample.Average(x => (x - mean) * (x - mean));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: mean {mean:f4} (bound 0.078), variance {variance:f4} (1 ± 0.110)");
        Assert.InRange(mean, -0.078, 0.078);
        Assert.InRange(variance, 0.890, 1.110);
    }

    /// <summary>A spectrum that falls as language models' do, so that independent noise at the outputs would fail.</summary>
    private static QuantizedLayer LowRankLayer(int outFeatures, int inFeatures)
    {
        var random = new SplitMix(5);
        var weights = new double[outFeatures * inFeatures];
        for (var rank = 1; rank <= 12; rank++)
        {
            var left = Enumerable.Range(0, outFeatures).Select(_ => random.Normal()).ToArray();
            var right = Enumerable.Range(0, inFeatures).Select(_ => random.Normal()).ToArray();
            for (var i = 0; i < weights.Length; i++)
            {
                weights[i] += left[i / inFeatures] * right[i % inFeatures] / rank;
            }
        }

        var largest = weights.Max(Math.Abs);
        var scales = Enumerable.Range(1, outFeatures).Select(static o => 0.01f * (1 + (o % 7))).ToArray();
        return QuantizedLayer.Create("tests", "layer", 8, outFeatures, inFeatures, [.. weights.Select(w => (short)Math.Round(w / largest * 127))], scales);
    }

    private static double[] Pull(QuantizedLayer layer, LayerDirection direction, double[] g)
    {
        var pulled = new double[layer.Inputs(direction)];
        for (var o = 0; o < g.Length; o++)
        {
            for (var j = 0; j < pulled.Length; j++)
            {
                pulled[j] += g[o] * layer.Code(direction, o, j);
            }
        }

        return pulled;
    }

    private static double[] TopSingular(QuantizedLayer layer, LayerDirection direction)
    {
        var g = Enumerable.Range(1, layer.Outputs(direction)).Select(static o => 1.0 / o).ToArray();
        for (var step = 0; step < 100; step++)
        {
            var pulled = Pull(layer, direction, g);
            for (var o = 0; o < g.Length; o++)
            {
                g[o] = 0;
                for (var j = 0; j < pulled.Length; j++)
                {
                    g[o] += layer.Code(direction, o, j) * pulled[j];
                }
            }

            var norm = Math.Sqrt(g.Sum(static x => x * x));
            g = [.. g.Select(x => x / norm)];
        }

        return g;
    }

    private static double KolmogorovSmirnov(double[] first, double[] second)
    {
        var a = first.Order().ToArray();
        var b = second.Order().ToArray();
        var (i, j, distance) = (0, 0, 0.0);
        while (i < a.Length && j < b.Length)
        {
            if (a[i] <= b[j])
            {
                i++;
            }
            else
            {
                j++;
            }

            distance = Math.Max(distance, Math.Abs(((double)i / a.Length) - ((double)j / b.Length)));
        }

        return distance;
    }
}
