using System.Buffers;
using System.Diagnostics;

namespace LoraFhe.Cryptography.Client;

/// <summary>From rows of floats to integers at the largest scale that cannot wrap: x̂ and S_t, the same for disable, simulate and execute.</summary>
/// <remarks>
/// ν = ‖row‖₂, T = ((q−1)/2)/W_max − 22·√inputs capped at 2²³, S_t = T·(1 − 2⁻²⁰)/ν, x̂ = clamp(roundEven(S_t·x), ±((q−1)/2 − 21)), all in double: the squares of
/// float32 numbers neither overflow nor vanish there, so rows of 1e30 and of denormals need no path of their own. By Cauchy–Schwarz |W·(x̂ + e)| ≤ (q−1)/2 for every
/// error |e| ≤ 21. A zero row has x̂ = 0 and is answered by exact zeros. Backward, a row is multiplied by the weight's channel scales first.
/// Immutable and safe for use by several threads. Source: docs/scheme.md, Range.
/// </remarks>
public sealed class TokenEncoder
{
    /// <summary>Added to the error's bound of 21: half a unit of rounding, and half a unit to spare.</summary>
    private const double ErrorBound = 22;

    private const double RangeCap = 1 << 23;

    /// <summary>Below the norm of every row that is not zero: its square is at least the square of the product of two denormals, 2e-180.</summary>
    private const double TinyNorm = 1e-100;

    private const int SmallRows = 1 << 15;

    private readonly LayerId _layer;
    private readonly double _numerator;
    private readonly double? _fixedNorm;
    private readonly double[] _channels;

    private TokenEncoder(LayerId layer, int features, double range, double? fixedNorm, double[] channels)
    {
        _layer = layer;
        Features = features;
        Range = range;
        _numerator = range * (1 - Math.ScaleB(1, -20));
        _fixedNorm = fixedNorm;
        _channels = channels;
    }

    /// <summary>T: the norm a row of integers has before rounding.</summary>
    public double Range { get; }

    /// <summary>Features of a row: the product's inputs.</summary>
    public int Features { get; }

    /// <summary>Channel factors of the rows, 1 forward, the weight's scales backward; padded to whole blocks of 16.</summary>
    internal ReadOnlySpan<double> Channels => _channels;

    /// <summary>Makes the encoder of one product.</summary>
    /// <param name="layer">The frozen layer.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="fixedNorm">Static calibration: one norm for all rows, finite and above zero; a longer row is scaled down to it and counted. None: each row has its own.</param>
    /// <exception cref="ArgumentException">The weights leave no range: fewer weight bits are needed, or the layer must be split.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fixedNorm"/> is not finite and above zero.</exception>
    public static TokenEncoder Create(QuantizedLayer layer, LayerDirection direction, double? fixedNorm = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var id = new LayerId(layer.Name, direction);
        var inputs = layer.Inputs(direction);
        if (fixedNorm is { } norm && !(double.IsFinite(norm) && norm > 0))
        {
            throw Errors.FixedNorm(id, nameof(fixedNorm));
        }

        var range = ComputeRange(id, layer.MaxWeightNorm(direction), layer.Bits, inputs);
        var channels = new double[FeatureBlocks.Count(inputs) * FeatureBlocks.Width];
        for (var i = 0; i < inputs; i++)
        {
            channels[i] = direction == LayerDirection.Forward ? 1 : layer.Scales[i];
        }

        return new TokenEncoder(id, inputs, range, fixedNorm, channels);
    }

    /// <summary>T of a product; refuses norms that no such weights have.</summary>
    internal static double ComputeRange(LayerId layer, double maxWeightNorm, int bits, int inputs)
    {
        // Written so that NaN fails too.
        if (!(maxWeightNorm >= 1 && maxWeightNorm <= Math.ScaleB(1, bits - 1) * Math.Sqrt(inputs)))
        {
            throw Errors.WeightNorm(layer, bits, inputs, nameof(layer));
        }

        var range = (EncryptedLinearParameters.HalfModulus / maxWeightNorm) - (ErrorBound * Math.Sqrt(inputs));
        return range > 0 ? Math.Min(range, RangeCap) : throw Errors.NoRange(layer, bits, inputs, nameof(layer));
    }

    /// <summary>Encodes rows.</summary>
    /// <param name="rows">Float32 [tokens, features], row-major, finite.</param>
    /// <param name="tokens">Rows, at least 1.</param>
    /// <param name="codes">x̂ [tokens, features].</param>
    /// <param name="tokenScales">S_t [tokens]; 0 for a row of zeros. As secret as the rows: a scale tells its row's norm.</param>
    /// <returns>How many rows were longer than the calibrated norm.</returns>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite.</exception>
    public unsafe long Encode(ReadOnlySpan<float> rows, int tokens, Span<int> codes, Span<double> tokenScales)
    {
        Check(rows.Length, tokens);
        Require(codes.Length, (long)tokens * Features, nameof(codes));
        Require(tokenScales.Length, tokens, nameof(tokenScales));
        var inverses = new double[tokens];
        var clamped = MeasureAll(rows, tokenScales, inverses);
        fixed (float* row = rows)
        fixed (double* channels = _channels)
        fixed (int* code = codes)
        {
            for (var t = 0; t < tokens; t++)
            {
                var start = (long)t * Features;
                ClientKernels.Best.Encode(row + start, channels, tokenScales[t], code + start, Features);
                tokenScales[t] = inverses[t] == 0 ? 0 : 1 / inverses[t];
            }
        }

        return clamped;
    }

    /// <summary>What disable multiplies: x̂/S_t, a zero row as zeros.</summary>
    /// <param name="rows">Float32 [tokens, features], row-major, finite.</param>
    /// <param name="tokens">Rows, at least 1.</param>
    /// <param name="destination">[tokens, features]; backward, what multiplies the integer weights, the channel scales being in it.</param>
    /// <returns>How many rows were longer than the calibrated norm.</returns>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite.</exception>
    public long Quantize(ReadOnlySpan<float> rows, int tokens, Span<float> destination) => QuantizeWithErrors(rows, tokens, [], destination);

    /// <summary>What simulate multiplies: (x̂ + e)/S_t, a zero row as zeros.</summary>
    /// <param name="rows">Float32 [tokens, features], row-major, finite.</param>
    /// <param name="tokens">Rows, at least 1.</param>
    /// <param name="errors">e [tokens, features], within ±21; empty for none.</param>
    /// <param name="destination">[tokens, features].</param>
    /// <returns>How many rows were longer than the calibrated norm.</returns>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite.</exception>
    public unsafe long QuantizeWithErrors(ReadOnlySpan<float> rows, int tokens, ReadOnlySpan<sbyte> errors, Span<float> destination)
    {
        Check(rows.Length, tokens);
        Require(destination.Length, (long)tokens * Features, nameof(destination));
        if (!errors.IsEmpty)
        {
            Require(errors.Length, (long)tokens * Features, nameof(errors));
        }

        var rented = ArrayPool<double>.Shared.Rent(checked(2 * tokens));
        try
        {
            var scales = rented.AsMemory(0, tokens);
            var inverses = rented.AsMemory(tokens, tokens);
            var clamped = MeasureAll(rows, scales.Span, inverses.Span);
            fixed (float* source = rows, target = destination)
            fixed (sbyte* error = errors)
            fixed (double* channels = _channels)
            {
                var (from, to, noise, factors) = ((nint)source, (nint)target, (nint)error, (nint)channels);
                BlockWorkers.Run(tokens, Threads(rows.Length), (_, t) =>
                {
                    var start = (long)t * Features;
                    var drawn = noise == 0 ? null : (sbyte*)noise + start;
                    var (scale, inverse) = (scales.Span[t], inverses.Span[t]);
                    ClientKernels.Best.Quantize((float*)from + start, (double*)factors, scale, inverse, drawn, (float*)to + start, Features);
                });
            }

            return clamped;
        }
        finally
        {
            ArrayPool<double>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>x̂ of one number, the plain form of the kernels' encoding.</summary>
    internal static int EncodeReference(float value, double channel, double scale) =>
        (int)Math.Round(Math.Clamp(value * channel * scale, -ClientKernel.ClampBound, ClientKernel.ClampBound), MidpointRounding.ToEven);

    /// <summary>The scales of a stretch of rows. Looks at every value before it says whether all are finite, and never says where one was not.</summary>
    /// <returns>Whether all values are finite, and how many rows were longer than the calibrated norm.</returns>
    internal (bool Finite, long Clamped) Measure(ReadOnlySpan<float> rows, Span<double> encodingScales, Span<double> inverseScales)
    {
        Debug.Assert(encodingScales.Length == inverseScales.Length && rows.Length == (long)encodingScales.Length * Features);
        var finite = true;
        var clamped = 0L;
        for (var t = 0; t < encodingScales.Length; t++)
        {
            var squares = RowNorm.SquaredNorm(rows.Slice(t * Features, Features), _channels);
            finite &= double.IsFinite(squares);
            var scale = Scale(Math.Sqrt(squares));
            (encodingScales[t], inverseScales[t]) = (scale.Encoding, scale.Inverse);
            clamped += scale.Clamped;
        }

        return (finite, clamped);
    }

    /// <summary>Refuses a call without tokens.</summary>
    internal void CheckTokens(int tokens)
    {
        if (tokens < 1)
        {
            throw Errors.Tokens(_layer, tokens, nameof(tokens));
        }
    }

    /// <summary>Refuses rows of another length.</summary>
    internal void Check(int length, int tokens)
    {
        CheckTokens(tokens);
        if (length != (long)tokens * Features)
        {
            throw Errors.RowsLength(_layer, length, tokens, Features, "rows");
        }
    }

    private static void Require(long found, long expected, string parameter)
    {
        if (found != expected)
        {
            throw Errors.ShortSpan(found, expected, parameter);
        }
    }

    private static int Threads(int length) => length < SmallRows ? 1 : 0;

    private unsafe long MeasureAll(ReadOnlySpan<float> rows, Span<double> scales, Span<double> inverses)
    {
        var clamped = 0L;
        var allFinite = 1;
        var stretchRows = RowTags.StretchRows(Features);
        var tokens = scales.Length;
        fixed (float* source = rows)
        fixed (double* scale = scales, inverse = inverses)
        {
            var (from, to, back) = ((nint)source, (nint)scale, (nint)inverse);
            BlockWorkers.Run(((tokens - 1) / stretchRows) + 1, Threads(rows.Length), (_, stretch) =>
            {
                var first = stretch * stretchRows;
                var count = Math.Min(stretchRows, tokens - first);
                var stretchOfRows = new ReadOnlySpan<float>((float*)from + ((long)first * Features), count * Features);
                var (finite, longer) = Measure(stretchOfRows, new Span<double>((double*)to + first, count), new Span<double>((double*)back + first, count));
                Interlocked.And(ref allFinite, finite ? 1 : 0);
                Interlocked.Add(ref clamped, longer);
            });
        }

        return allFinite != 0 ? clamped : throw Errors.NotFinite(_layer, nameof(rows));
    }

    /// <summary>S_t by which a row is multiplied, 1/S_t by which its answer is (0 for a zero row), and 1 if the row was longer than the calibrated norm. No branch on the norm.</summary>
    private (double Encoding, double Inverse, int Clamped) Scale(double norm)
    {
        if (_fixedNorm is not { } fixedNorm)
        {
            return (_numerator / Math.Max(norm, TinyNorm), norm / _numerator, 0);
        }

        // A longer row is sent as if it ended at the calibrated norm, and answered as such.
        var isNotZero = Math.Min(norm / TinyNorm, 1);
        return (_numerator / Math.Max(Math.Max(norm, TinyNorm), fixedNorm), isNotZero * (fixedNorm / _numerator), norm > fixedNorm ? 1 : 0);
    }
}
