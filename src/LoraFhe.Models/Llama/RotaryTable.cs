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
    private Rotation? _table;

    public RotaryTable(LlamaConfig config) => _frequencies = config.Rotary.Frequencies(config.HeadDim);

    /// <summary>The rows of consecutive positions.</summary>
    /// <param name="first">The first position.</param>
    /// <param name="length">How many.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Device.</param>
    /// <returns>Views [1, 1, length, head width]; the table's, valid until it grows or is disposed.</returns>
    public Rotation Rows(long first, long length, ScalarType dtype, Device device)
    {
        var table = Table(first + length, dtype, device);
        return new Rotation(Window(table.Cosines), Window(table.Sines));

        Tensor Window(Tensor rows) => rows.narrow(0, first, length).unsqueeze(0).unsqueeze(0);
    }

    /// <summary>The rows of given positions, which may be anything and are not kept.</summary>
    /// <param name="positions">Int64 [batch, length].</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Device.</param>
    /// <returns>[batch, 1, length, head width].</returns>
    public Rotation Rows(Tensor positions, ScalarType dtype, Device device) => Compute(positions.unsqueeze(1), dtype, device);

    /// <inheritdoc/>
    public void Dispose()
    {
        _table?.Cosines.Dispose();
        _table?.Sines.Dispose();
        _table = null;
    }

    private Rotation Table(long rows, ScalarType dtype, Device device)
    {
        var held = _table?.Cosines.shape[0] ?? 0;
        if (_table is null || held < rows || !IsOf(_table.Cosines, dtype, device))
        {
            rows = held >= rows ? held : Math.Max(Math.Max(rows, FirstRows), 2 * held);
            Dispose();
            using var scope = NewDisposeScope();
            _table = Compute(arange(rows, device: device), dtype, device);
            _table.Cosines.DetachFromDisposeScope();
            _table.Sines.DetachFromDisposeScope();
        }

        return _table;
    }

    private Rotation Compute(Tensor positions, ScalarType dtype, Device device)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var angles = positions.to(float64).unsqueeze(-1) * tensor(_frequencies, float64, positions.device);
        angles = cat([angles, angles], dim: -1);
        return new Rotation(
            angles.cos().to(dtype, device).MoveToOuterDisposeScope(), angles.sin().to(dtype, device).MoveToOuterDisposeScope());
    }

    // Devices have no equality of their own.
    private static bool IsOf(Tensor table, ScalarType dtype, Device device) =>
        table.dtype == dtype && table.device_type == device.type && table.device_index == device.index;
}
