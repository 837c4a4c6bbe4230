using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Centered binomial samples from random bytes: no branch, no table, frozen by test vectors.</summary>
/// <remarks>
/// A sample of parameter η is the number of ones among 2η random bits, minus η: the sum of η bits minus the sum of η others, as each bit and its complement are alike.
/// Samples come in batches of 256. A batch reads 2η planes of 32 bytes; sample 32v + b counts bit v of byte b over the planes. The counting is bit-sliced: planes are added
/// by carry-save adders, 256 samples to a vector, and the six sums transposed into bytes. Source: docs/scheme.md, Errors; Harley's carry-save popcount.
/// </remarks>
internal static class CenteredBinomial
{
    /// <summary>Samples of a batch.</summary>
    public const int Batch = 256;

    /// <summary>Random bytes of a batch of errors, η = 21: 42 bits a sample.</summary>
    public const int ErrorBatchBytes = 2 * EncryptedLinearParameters.ErrorEta * PlaneBytes;

    /// <summary>Random bytes of a batch of secret coefficients, η = 2: 4 bits a sample.</summary>
    public const int SecretBatchBytes = 2 * EncryptedLinearParameters.SecretEta * PlaneBytes;

    private const int PlaneBytes = Batch / 8;

    /// <summary>Errors within ±21, variance 10.5.</summary>
    /// <param name="random">Whole batches of <see cref="ErrorBatchBytes"/>.</param>
    /// <param name="errors">As many batches of <see cref="Batch"/> samples.</param>
    public static unsafe void Errors(ReadOnlySpan<byte> random, Span<sbyte> errors)
    {
        Debug.Assert(random.Length % ErrorBatchBytes == 0 && random.Length / ErrorBatchBytes == errors.Length / Batch && errors.Length % Batch == 0);
        fixed (byte* source = random)
        fixed (sbyte* destination = errors)
        {
            for (var batch = 0; batch < errors.Length / Batch; batch++)
            {
                ErrorBatch(source + (batch * ErrorBatchBytes), destination + (batch * Batch));
            }
        }
    }

    /// <summary>Secret coefficients within ±2, variance 1.</summary>
    /// <param name="random">Whole batches of <see cref="SecretBatchBytes"/>.</param>
    /// <param name="coefficients">As many batches of <see cref="Batch"/> samples.</param>
    public static unsafe void Secrets(ReadOnlySpan<byte> random, Span<sbyte> coefficients)
    {
        Debug.Assert(random.Length % SecretBatchBytes == 0 && random.Length / SecretBatchBytes == coefficients.Length / Batch && coefficients.Length % Batch == 0);
        fixed (byte* source = random)
        fixed (sbyte* destination = coefficients)
        {
            for (var batch = 0; batch < coefficients.Length / Batch; batch++)
            {
                SecretBatch(source + (batch * SecretBatchBytes), destination + (batch * Batch));
            }
        }
    }

    /// <summary>Any parameter, one sample at a time, as the definition reads: what the vector forms are checked against.</summary>
    public static void Reference(int eta, ReadOnlySpan<byte> random, Span<sbyte> samples)
    {
        for (var i = 0; i < samples.Length; i++)
        {
            var (batch, v, b) = (i / Batch, i % Batch / PlaneBytes, i % PlaneBytes);
            var ones = 0;
            for (var plane = 0; plane < 2 * eta; plane++)
            {
                ones += (random[(((batch * 2 * eta) + plane) * PlaneBytes) + b] >> v) & 1;
            }

            samples[i] = (sbyte)(ones - eta);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void ErrorBatch(byte* random, sbyte* errors)
    {
        // Six times seven planes to three sums, then the sums by weight: 36 full and 3 half adders for 42 planes.
        var (a1, a2, a4) = Seven(random);
        var (b1, b2, b4) = Seven(random + (7 * PlaneBytes));
        var (c1, c2, c4) = Seven(random + (14 * PlaneBytes));
        var (d1, d2, d4) = Seven(random + (21 * PlaneBytes));
        var (e1, e2, e4) = Seven(random + (28 * PlaneBytes));
        var (f1, f2, f4) = Seven(random + (35 * PlaneBytes));

        var (s, x2) = Add(a1, b1, c1);
        var (t, y2) = Add(d1, e1, f1);
        var (ones, z2) = Add(s, t);

        (s, var p4) = Add(a2, b2, c2);
        (t, var q4) = Add(d2, e2, f2);
        (var u, var r4) = Add(x2, y2, z2);
        (var twos, var v4) = Add(s, t, u);

        (s, var p8) = Add(a4, b4, c4);
        (t, var q8) = Add(d4, e4, f4);
        (u, var r8) = Add(p4, q4, r4);
        (s, var v8) = Add(s, t, u);
        (var fours, var w8) = Add(s, v4);

        (s, var p16) = Add(p8, q8, r8);
        (var eights, var q16) = Add(s, v8, w8);
        var (sixteens, thirtyTwos) = Add(p16, q16);
        Transpose(ones, twos, fours, eights, sixteens, thirtyTwos, EncryptedLinearParameters.ErrorEta, errors);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void SecretBatch(byte* random, sbyte* coefficients)
    {
        var (s, x2) = Add(Plane(random, 0), Plane(random, 1), Plane(random, 2));
        var (ones, y2) = Add(s, Plane(random, 3));
        var (twos, fours) = Add(x2, y2);
        var zero = Vector256<ulong>.Zero;
        Transpose(ones, twos, fours, zero, zero, zero, EncryptedLinearParameters.SecretEta, coefficients);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe (Vector256<ulong> Ones, Vector256<ulong> Twos, Vector256<ulong> Fours) Seven(byte* planes)
    {
        var (s, x) = Add(Plane(planes, 0), Plane(planes, 1), Plane(planes, 2));
        (s, var y) = Add(s, Plane(planes, 3), Plane(planes, 4));
        (s, var z) = Add(s, Plane(planes, 5), Plane(planes, 6));
        var (twos, fours) = Add(x, y, z);
        return (s, twos, fours);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<ulong> Plane(byte* planes, int plane) => Vector256.Load((ulong*)(planes + (plane * PlaneBytes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong> Sum, Vector256<ulong> Carry) Add(Vector256<ulong> a, Vector256<ulong> b, Vector256<ulong> c)
    {
        var half = a ^ b;
        return (half ^ c, (a & b) | (half & c));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong> Sum, Vector256<ulong> Carry) Add(Vector256<ulong> a, Vector256<ulong> b) => (a ^ b, a & b);

    /// <summary>Six bit planes (and two of zeros) to 256 bytes, each minus η: three rounds of swapping halves of an 8 × 8 bit matrix in every byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Transpose(
        Vector256<ulong> p0,
        Vector256<ulong> p1,
        Vector256<ulong> p2,
        Vector256<ulong> p3,
        Vector256<ulong> p4,
        Vector256<ulong> p5,
        int eta,
        sbyte* destination)
    {
        var nibble = Vector256.Create(0x0f0f0f0f0f0f0f0fUL);
        var p6 = (p2 >>> 4) & nibble;
        var p7 = (p3 >>> 4) & nibble;
        p2 &= nibble;
        p3 &= nibble;
        (p0, p4) = Swap(p0, p4, nibble, 4);
        (p1, p5) = Swap(p1, p5, nibble, 4);

        var pair = Vector256.Create(0x3333333333333333UL);
        (p0, p2) = Swap(p0, p2, pair, 2);
        (p1, p3) = Swap(p1, p3, pair, 2);
        (p4, p6) = Swap(p4, p6, pair, 2);
        (p5, p7) = Swap(p5, p7, pair, 2);

        var bit = Vector256.Create(0x5555555555555555UL);
        (p0, p1) = Swap(p0, p1, bit, 1);
        (p2, p3) = Swap(p2, p3, bit, 1);
        (p4, p5) = Swap(p4, p5, bit, 1);
        (p6, p7) = Swap(p6, p7, bit, 1);

        var center = Vector256.Create((sbyte)eta);
        (p0.AsSByte() - center).Store(destination);
        (p1.AsSByte() - center).Store(destination + PlaneBytes);
        (p2.AsSByte() - center).Store(destination + (2 * PlaneBytes));
        (p3.AsSByte() - center).Store(destination + (3 * PlaneBytes));
        (p4.AsSByte() - center).Store(destination + (4 * PlaneBytes));
        (p5.AsSByte() - center).Store(destination + (5 * PlaneBytes));
        (p6.AsSByte() - center).Store(destination + (6 * PlaneBytes));
        (p7.AsSByte() - center).Store(destination + (7 * PlaneBytes));
    }

    /// <summary>The upper bits of x's groups trade places with the lower bits of y's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong> Low, Vector256<ulong> High) Swap(Vector256<ulong> x, Vector256<ulong> y, Vector256<ulong> mask, int shift)
    {
        var trade = ((x >>> shift) ^ y) & mask;
        return (x ^ (trade << shift), y ^ trade);
    }
}
