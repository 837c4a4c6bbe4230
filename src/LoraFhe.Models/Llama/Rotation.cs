using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The rotary position embedding of a pass's tokens.</summary>
/// <param name="Cosines">[1 or batch, 1, length, head width].</param>
/// <param name="Sines">As the cosines.</param>
internal sealed record Rotation(Tensor Cosines, Tensor Sines)
{
    /// <summary>Turns every pair of values by its position's angle.</summary>
    /// <param name="values">Floats [batch, heads, length, head width].</param>
    /// <returns>Floats of the same shape.</returns>
    public Tensor Apply(Tensor values)
    {
        var half = values.size(-1) / 2;
        using var first = values.narrow(-1, 0, half);
        using var second = values.narrow(-1, half, half);
        using var opposite = second.neg();
        using var turned = cat([opposite, first], dim: -1);
        using var onCosines = values * Cosines;
        using var onSines = turned * Sines;
        return onCosines + onSines;
    }
}
