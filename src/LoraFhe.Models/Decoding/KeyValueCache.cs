using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Keys and values of the tokens that were read, layer by layer, so that each further token costs one row.</summary>
/// <remarks>Not differentiable: used without gradients. Its tensors belong to no dispose scope; whoever makes it disposes it.</remarks>
internal sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <param name="layers">Layers of the model.</param>
    /// <param name="shape">[batch, key and value heads, most tokens, head width].</param>
    /// <param name="dtype">Element type of the model.</param>
    /// <param name="device">Device of the model.</param>
    public KeyValueCache(int layers, long[] shape, ScalarType dtype, Device device)
    {
        _keys = MakeBuffers(layers, shape, dtype, device);
        _values = MakeBuffers(layers, shape, dtype, device);
    }

    /// <summary>Tokens that all layers have.</summary>
    public long Length { get; private set; }

    /// <summary>Adds a pass's keys and values in one layer.</summary>
    /// <returns>All of the layer so far, as views.</returns>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values) =>
        (Append(_keys[layer], keys), Append(_values[layer], values));

    /// <summary>Ends a pass: every layer has its tokens.</summary>
    public void Advance(long tokens) => Length += tokens;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _keys.Concat(_values))
        {
            buffer.Dispose();
        }
    }

    private Tensor Append(Tensor buffer, Tensor rows)
    {
        var length = rows.shape[2];
        buffer.narrow(2, Length, length).copy_(rows);
        return buffer.narrow(2, 0, Length + length);
    }

    private static Tensor[] MakeBuffers(int count, long[] shape, ScalarType dtype, Device device) =>
        [.. Enumerable.Range(0, count).Select(_ => empty(shape, dtype, device).DetachFromDisposeScope())];
}
