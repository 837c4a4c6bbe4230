using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Cosines and sines of the rotary position embedding, a row a position; grows as longer texts come.</summary>
/// <remarks>
/// Angles are computed in double precision and rounded once. Both halves of a head get the same angle, as Hugging Face's
/// <c>rotate_half</c> pairs value i with value i + d/2. Owned by one model; not thread-safe.
/// </remarks>
internal sealed class RotaryTable : IDisposable
{
    private const int FirstRows = 256;

    private readonly double[] _frequencies;
    private Tensor? _cosines;
    private Tensor? _sines;

    public RotaryTable(LlamaConfig config) => _frequencies = config.Rotary.Frequencies(config.HeadDim);

    /// <summary>The rows of consecutive positions.</summary>
    /// <param name="first">The first position.</param>
    /// <param name="length">How many.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Device.</param>
    /// <returns>Views [1, 1, length, head width]; the table's, valid until it grows or is disposed.</returns>
    public (Tensor Cosines, Tensor Sines) Rows(long first, long length, ScalarType dtype, Device device)
    {
        var (cosines, sines) = Table(first + length, dtype, device);
        return (cosines.narrow(0, first, length).unsqueeze(0).unsqueeze(0), sines.narrow(0, first, length).unsqueeze(0).unsqueeze(0));
    }

    /// <summary>The rows of given positions.</summary>
    /// <param name="positions">Int64 [batch, length].</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Device.</param>
    /// <returns>Copies [batch, 1, length, head width].</returns>
    public (Tensor Cosines, Tensor Sines) Rows(Tensor positions, ScalarType dtype, Device device)
    {
        var (cosines, sines) = Table(positions.max().item<long>() + 1, dtype, device);
        long[] shape = [positions.shape[0], 1, positions.shape[1], -1];
        var flat = positions.reshape(-1);
        return (cosines.index_select(0, flat).reshape(shape), sines.index_select(0, flat).reshape(shape));
    }

    /// <summary>Turns every pair of values by its position's angle.</summary>
    /// <param name="values">Floats [batch, heads, length, head width].</param>
    /// <param name="cosines">What <c>Rows</c> gave first.</param>
    /// <param name="sines">What <c>Rows</c> gave second.</param>
    /// <returns>Floats of the same shape.</returns>
    public static Tensor Rotate(Tensor values, Tensor cosines, Tensor sines)
    {
        using var scope = NewDisposeScope();
        var halves = values.chunk(2, dim: -1);
        var turned = cat([halves[1].neg(), halves[0]], dim: -1);
        return ((values * cosines) + (turned * sines)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines?.Dispose();
        _sines?.Dispose();
        (_cosines, _sines) = (null, null);
    }

    private (Tensor Cosines, Tensor Sines) Table(long rows, ScalarType dtype, Device device)
    {
        var held = _cosines?.shape[0] ?? 0;
        if (_cosines is null || _sines is null || held < rows || !IsOf(_cosines, dtype, device))
        {
            rows = held >= rows ? held : Math.Max(Math.Max(rows, FirstRows), 2 * held);
            Dispose();
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            var angles = outer(arange(rows, float64), tensor(_frequencies, float64));
            angles = cat([angles, angles], dim: -1);
            _cosines = angles.cos().to(dtype, device).DetachFromDisposeScope();
            _sines = angles.sin().to(dtype, device).DetachFromDisposeScope();
        }

        return (_cosines, _sines);
    }

    // Devices have no equality of their own.
    private static bool IsOf(Tensor table, ScalarType dtype, Device device) =>
        table.dtype == dtype && table.device_type == device.type && table.device_index == device.index;
}
