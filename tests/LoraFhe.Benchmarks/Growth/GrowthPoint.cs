namespace LoraFhe.Benchmarks;

/// <summary>Medians of one product, in milliseconds.</summary>
/// <param name="Inputs">Of the layer.</param>
/// <param name="Outputs">Of the layer.</param>
/// <param name="Tokens">Rows.</param>
/// <param name="Torch">libtorch's float32 <c>linear</c>.</param>
/// <param name="Server">The integer product.</param>
/// <param name="Encrypt">Of the inputs.</param>
/// <param name="Decrypt">Of the outputs, with the check.</param>
internal sealed record GrowthPoint(int Inputs, int Outputs, int Tokens, double Torch, double Server, double Encrypt, double Decrypt)
{
    public double MultiplyAdds => (double)Inputs * Outputs * Tokens;

    public double TorchGmacs => MultiplyAdds / Torch / 1e6;

    public double ServerGmacs => MultiplyAdds / Server / 1e6;

    /// <summary>Nanoseconds a number that is encrypted.</summary>
    public double EncryptNanoseconds => Encrypt * 1e6 / ((double)Inputs * Tokens);

    /// <summary>Nanoseconds a number that is decrypted.</summary>
    public double DecryptNanoseconds => Decrypt * 1e6 / ((double)Outputs * Tokens);

    public double Client => Encrypt + Decrypt;

    public double Whole => Client + Server;

    public static GrowthPoint Of(int inputs, int outputs, int tokens, IReadOnlyList<ProductPair> pairs)
    {
        double Median(Func<ProductPair, double> part) => Spread.Of(pairs.Select(part)).Median * 1e3;
        return new GrowthPoint(
            inputs, outputs, tokens, Median(pair => pair.Clear), Median(pair => pair.Server), Median(pair => pair.Encrypt), Median(pair => pair.Decrypt));
    }
}
