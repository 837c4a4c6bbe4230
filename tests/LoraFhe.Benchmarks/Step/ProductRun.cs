using LoraFhe.Cryptography;
using TorchSharp;

namespace LoraFhe.Benchmarks;

/// <summary>How fast the product of a model's widest layer is, encrypted and in clear, pair by pair.</summary>
/// <param name="Kernel">The server's instruction set here.</param>
/// <param name="VectorBits">Of the widest vector the runtime uses.</param>
/// <param name="Inputs">Of the layer.</param>
/// <param name="Outputs">Of the layer.</param>
/// <param name="TorchGmacs">Multiply-adds a nanosecond of libtorch's float32 <c>linear</c>.</param>
/// <param name="ServerGmacs">The same of our integer product.</param>
/// <param name="ClientNanoseconds">The client's time a scalar that is encrypted or decrypted.</param>
internal sealed record ProductRun(string Kernel, int VectorBits, int Inputs, int Outputs, double TorchGmacs, double ServerGmacs, double ClientNanoseconds)
{
    private const double Seconds = 1;
    private const int FewestPairs = 7;

    public static ProductRun Of(StepPlan plan)
    {
        torch.set_num_threads(plan.Threads);
        var (hidden, inner) = plan.Model.Widths;
        using var matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), hidden);
        using var layer = new LayerUnderTest(hidden, inner, plan.Tokens, plan.Threads, EncryptedLinearParameters.MinBits, matrix);
        var pairs = layer.Pairs(Seconds, FewestPairs);
        double Median(Func<ProductPair, double> part) => Spread.Of(pairs.Select(part)).Median;
        var products = (double)hidden * inner * plan.Tokens;
        return new ProductRun(
            LinearEvaluator.KernelName, VectorUnits.Bits, hidden, inner,
            products / Median(pair => pair.Clear) / 1e9,
            products / Median(pair => pair.Server) / 1e9,
            Median(pair => pair.Client) * 1e9 / ((double)(hidden + inner) * plan.Tokens));
    }
}
