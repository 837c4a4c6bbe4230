namespace LoraFhe.Benchmarks;

/// <summary>What one step in execute sends and computes.</summary>
/// <param name="Calls">Encrypted products.</param>
/// <param name="BytesUp">To the server.</param>
/// <param name="BytesDown">From it.</param>
/// <param name="ServerMultiplyAdds">Of the integer products.</param>
/// <param name="ClientShare">The client's part of all multiply-adds of the frozen layers, 0 to 1.</param>
internal sealed record StepTraffic(double Calls, double BytesUp, double BytesDown, double ServerMultiplyAdds, double ClientShare)
{
    public static StepTraffic Of(FheTraffic sum, int steps) => new(
        (double)sum.Calls / steps, (double)sum.BytesUp / steps, (double)sum.BytesDown / steps, (double)sum.ServerMultiplyAdds / steps, sum.ClientShare);
}
