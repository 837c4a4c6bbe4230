using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A tensor as a safetensors file holds it: adapters, checkpoints and deployments are written through here.</summary>
internal static class StoredTensor
{
    /// <summary>Copies a tensor's values out.</summary>
    /// <param name="name">What the file calls it.</param>
    /// <param name="value">Any shape, on any device.</param>
    /// <exception cref="NotSupportedException">A file has no form for its type; the text names it.</exception>
    public static SafetensorsTensor Of(string name, Tensor value)
    {
        using var scope = NewDisposeScope();
        var contiguous = value.detach().cpu().contiguous();
        return new SafetensorsTensor(name, DTypeOf(name, value.dtype), value.shape, contiguous.bytes.ToArray());
    }

    /// <summary>Copies stored values into a tensor, in place: who else holds it sees them too.</summary>
    /// <param name="target">Of the shape and type that was stored, on any device.</param>
    /// <param name="data">Its elements, row-major, little-endian.</param>
    public static void Load(Tensor target, ReadOnlySpan<byte> data)
    {
        using var noGraph = no_grad();
        using var scope = NewDisposeScope();
        var values = empty(target.shape, dtype: target.dtype);
        data.CopyTo(values.bytes);
        target.copy_(values);
    }

    /// <summary>A type as a file names it.</summary>
    /// <exception cref="NotSupportedException">A file has no form for it; the text names the tensor.</exception>
    public static SafetensorsDType DTypeOf(string name, ScalarType type) => type switch
    {
        ScalarType.Float16 => SafetensorsDType.F16,
        ScalarType.BFloat16 => SafetensorsDType.BF16,
        ScalarType.Float32 => SafetensorsDType.F32,
        ScalarType.Float64 => SafetensorsDType.F64,
        ScalarType.Int64 => SafetensorsDType.I64,
        ScalarType.Int32 => SafetensorsDType.I32,
        ScalarType.Bool => SafetensorsDType.Bool,
        _ => throw new NotSupportedException(Errors.TensorTypeNotSaved(name, type.ToString())),
    };
}
