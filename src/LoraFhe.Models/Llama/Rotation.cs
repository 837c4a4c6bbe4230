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
        using var scope = NewDisposeScope();
        var halves = values.chunk(2, dim: -1);
        var turned = cat([halves[1].neg(), halves[0]], dim: -1);
        return ((values * Cosines) + (turned * Sines)).MoveToOuterDisposeScope();
    }
}
