namespace LoraFhe.Benchmarks;

/// <summary>What a training step costs by <see cref="StepConstants"/>.</summary>
/// <param name="Model">What tables call it.</param>
/// <param name="Tokens">A step.</param>
/// <param name="ClearSeconds">What both modes do in clear: head, loss, attention, norms, adapters.</param>
/// <param name="TorchProductSeconds">The frozen layers in torch mode.</param>
/// <param name="ServerSeconds">The frozen layers in execute.</param>
/// <param name="ClientSeconds">Encryption and decryption.</param>
/// <param name="HintBytes">On disk, or in memory.</param>
/// <param name="WeightBytes">The server's: 16-bit integers, in an order of its own for each direction.</param>
/// <param name="BytesUp">Traffic of a step.</param>
/// <param name="BytesDown">Traffic of a step.</param>
/// <param name="Calls">Of a step.</param>
internal sealed record StepPrediction(
    string Model, int Tokens, double ClearSeconds, double TorchProductSeconds, double ServerSeconds, double ClientSeconds,
    double HintBytes, double WeightBytes, double BytesUp, double BytesDown, int Calls)
{
    public const int HeaderBytes = 64;

    public double Torch => ClearSeconds + TorchProductSeconds;

    public double Execute => ClearSeconds + ServerSeconds + ClientSeconds;

    public static StepPrediction Of(TransformerShape shape, int tokens, StepConstants constants)
    {
        double Products(double multiplyAdds, double gmacs) => tokens * multiplyAdds / gmacs / 1e9;
        var rest = tokens * ((constants.LogitNanoseconds * shape.Vocabulary) + (constants.ElementNanoseconds * shape.Elements)) / 1e9;
        return new StepPrediction(
            shape.Name, tokens,
            Products(shape.HeadMultiplyAdds, constants.TorchGmacs) + rest,
            Products(shape.MultiplyAdds, constants.TorchGmacs),
            Products(shape.MultiplyAdds, constants.ServerGmacs),
            tokens * ((constants.EncryptNanoseconds * shape.Encrypted) + (constants.DecryptNanoseconds * shape.Decrypted)) / 1e9,
            shape.HintBytes,
            2 * sizeof(short) * shape.Weights,
            (tokens * shape.Encrypted * sizeof(uint)) + (shape.Calls * HeaderBytes),
            (tokens * shape.Decrypted * sizeof(uint)) + (shape.Calls * HeaderBytes),
            shape.Calls);
    }
}
