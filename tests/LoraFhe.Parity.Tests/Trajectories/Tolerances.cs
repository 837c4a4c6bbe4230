using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>How far a run may be off.</summary>
/// <param name="Loss">Of a loss.</param>
/// <param name="NormPart">Of a gradient norm, as a part of it.</param>
/// <param name="Norm">Of a gradient norm, whatever it is.</param>
/// <param name="Parameters">Of an element of a parameter.</param>
internal sealed record Tolerances(double Loss, double NormPart, double Norm, double Parameters)
{
    /// <summary>What every float64 run was recorded for.</summary>
    public static readonly Tolerances Double = new(1e-9, 0, 1e-9, 1e-9);

    /// <summary>A learning rate is the same computation in double precision.</summary>
    public const double RatePart = 1e-12;

    /// <summary>The case's own.</summary>
    public static Tolerances Of(GoldenJson recorded) =>
        new(recorded["loss"].AsDouble, recorded["grad_norm_rel"].AsDouble, 0, recorded["params"].AsDouble);

    /// <summary>Of a certain gradient norm.</summary>
    public double OfNorm(double norm) => (NormPart * norm) + Norm;
}
