using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography;

/// <summary>One frozen linear layer's integers, used by both of its products, so that backward is the exact adjoint of forward.</summary>
/// <remarks>Immutable and safe for use by several threads. Weights are public here: neither side hides them. Source: docs/scheme.md,
/// Quantization.</remarks>
public sealed class QuantizedLayer
{
    private readonly short[] _codes;
    private readonly float[] _scales;
    private readonly byte[] _codesHash;
    private readonly byte[] _scalesHash;
    private readonly LayerNorms _forward;
    private readonly LayerNorms _backward;

    private QuantizedLayer(string modelId, string name, int bits, int outFeatures, int inFeatures, short[] codes, float[] scales)
    {
        ModelId = modelId;
        Name = name;
        Bits = bits;
        OutFeatures = outFeatures;
        InFeatures = inFeatures;
        _codes = codes;
        _scales = scales;
        _codesHash = SHA256.HashData(MemoryMarshal.AsBytes<short>(codes));
        _scalesHash = SHA256.HashData(MemoryMarshal.AsBytes<float>(scales));
        (_forward, _backward) = LayerNorms.Compute(codes, outFeatures, inFeatures);
    }

    /// <summary>Which model the layer belongs to; enters the binding.</summary>
    public string ModelId { get; }

    /// <summary>The layer's dotted name in its model; enters the binding.</summary>
    public string Name { get; }

    /// <summary>Bits of a code, sign included: 8 to 12.</summary>
    public int Bits { get; }

    /// <summary>Output channels: rows of the weight.</summary>
    public int OutFeatures { get; }

    /// <summary>Input features: columns of the weight.</summary>
    public int InFeatures { get; }

    /// <summary>Codes [out, in], row-major, within ±(2^(bits−1) − 1).</summary>
    public ReadOnlySpan<short> Codes => _codes;

    /// <summary>Scales [out], finite and above zero: weight ≈ code · scale.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>SHA-256 of the codes, row-major, little-endian.</summary>
    public ReadOnlySpan<byte> CodesHash => _codesHash;

    /// <summary>SHA-256 of the scales, little-endian.</summary>
    public ReadOnlySpan<byte> ScalesHash => _scalesHash;

    /// <summary>Checks and takes one layer.</summary>
    /// <param name="modelId">Which model the layer belongs to.</param>
    /// <param name="name">The layer's dotted name.</param>
    /// <param name="bits">Bits of a code, sign included: 8 to 12.</param>
    /// <param name="outFeatures">Output channels, at least 1.</param>
    /// <param name="inFeatures">Input features, at least 1.</param>
    /// <param name="codes">Int16 [out, in], within ±(2^(bits−1) − 1). The layer takes the array: the caller must not change it
    /// afterwards.</param>
    /// <param name="scales">Float32 [out], finite and above zero. The layer takes the array.</param>
    /// <exception cref="ArgumentException">A length, a code or a scale is wrong; the text names the layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bits"/> or a size is out of range.</exception>
    public static QuantizedLayer Create(
        string modelId, string name, int bits, int outFeatures, int inFeatures, short[] codes, float[] scales)
    {
        LittleEndian.Require();
        ArgumentNullException.ThrowIfNull(modelId);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(scales);
        if (bits is < EncryptedLinearParameters.MinBits or > EncryptedLinearParameters.MaxBits)
        {
            throw Errors.Bits(name, bits, nameof(bits));
        }

        if (outFeatures < 1 || inFeatures < 1 || (long)outFeatures * inFeatures > Array.MaxLength)
        {
            throw Errors.LayerSize(name, outFeatures, inFeatures, outFeatures < 1 ? nameof(outFeatures) : nameof(inFeatures));
        }

        if (codes.Length != (long)outFeatures * inFeatures)
        {
            throw Errors.CodesLength(name, codes.Length, outFeatures, inFeatures, nameof(codes));
        }

        if (scales.Length != outFeatures)
        {
            throw Errors.ScalesLength(name, scales.Length, outFeatures, nameof(scales));
        }

        var largest = (1 << (bits - 1)) - 1;
        if (codes.AsSpan().ContainsAnyExceptInRange((short)-largest, (short)largest))
        {
            throw Errors.CodeRange(name, bits, largest, nameof(codes));
        }

        foreach (var scale in scales)
        {
            if (!float.IsFinite(scale) || scale <= 0)
            {
                throw Errors.ScaleRange(name, nameof(scales));
            }
        }

        return new QuantizedLayer(modelId, name, bits, outFeatures, inFeatures, codes, scales);
    }

    /// <summary>Features a product takes in: the layer's inputs forward, its outputs backward.</summary>
    public int Inputs(LayerDirection direction) => direction == LayerDirection.Forward ? InFeatures : OutFeatures;

    /// <summary>Features a product gives out: the layer's outputs forward, its inputs backward.</summary>
    public int Outputs(LayerDirection direction) => direction == LayerDirection.Forward ? OutFeatures : InFeatures;

    /// <summary>The largest ‖w_o‖₂² over a product's outputs (rows forward, columns backward), as an exact integer that counts as at least
    /// 1.</summary>
    public long MaxSquaredNorm(LayerDirection direction) => Norms(direction).MaxSquaredNorm;

    /// <summary>W_max: the root of <see cref="MaxSquaredNorm"/>. It bounds how far a product can reach, and so sets the range.</summary>
    public double MaxWeightNorm(LayerDirection direction) => Math.Sqrt(MaxSquaredNorm(direction));

    /// <summary>The largest ‖w_o‖₁ over a product's outputs, exact.</summary>
    public long MaxAbsoluteSum(LayerDirection direction) => Norms(direction).MaxAbsoluteSum;

    /// <summary>The code that multiplies one input of a product for one of its outputs.</summary>
    internal short Code(LayerDirection direction, int output, int input) =>
        direction == LayerDirection.Forward ? _codes[((long)output * InFeatures) + input] : _codes[((long)input * InFeatures) + output];

    private LayerNorms Norms(LayerDirection direction) => direction == LayerDirection.Forward ? _forward : _backward;
}
