using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography.Client;

/// <summary>GHASH of associated data alone, as GMAC needs it, by carry-less products of 256 bits: sixteen blocks to one reduction.</summary>
/// <remarks>
/// Blocks are read backwards, which turns GHASH into POLYVAL: a·b·x⁻¹²⁸ modulo x¹²⁸ + x¹²⁷ + x¹²⁶ + x¹²¹ + 1, without shifts. Products are added before they are reduced.
/// Constant time. Immutable and safe for use by several threads. Source: NIST SP 800-38D; RFC 8452, appendix A; Gueron and Kounavis (2010).
/// </remarks>
internal sealed unsafe class GaloisHash : IDisposable
{
    private const int BlockSize = 16;
    private const int Together = 16;
    private const int PairSize = 2 * BlockSize;
    private const byte SwapHalves = 0b01_00_11_10;

    // H¹⁶, H¹⁵, …, H: in the order of the blocks they multiply. Behind them, of each, the sum of its halves.
    private readonly SecretMemory _powers = new(2 * Together * BlockSize);

    /// <summary>Takes H, the cipher's image of a block of zeros.</summary>
    public GaloisHash(Vector128<byte> key)
    {
        var power = TimesX(Backwards(key));
        var powers = Powers;
        powers[Together - 1] = power;
        for (var i = Together - 2; i >= 0; i--)
        {
            powers[i] = Multiply(powers[i + 1], power);
        }

        for (var i = 0; i < Together; i++)
        {
            powers[Together + i] = powers[i] ^ Swap(powers[i]);
        }
    }

    /// <summary>Whether this processor has the products.</summary>
    public static bool IsSupported => Avx2.IsSupported && Pclmulqdq.V256.IsSupported;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private Vector128<ulong>* Powers => (Vector128<ulong>*)_powers.Pointer;

    private static Vector128<byte> Order => Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);

    private static Vector128<ulong> Polynomial => Vector128.Create(1UL, 0xc200000000000000UL);

    /// <summary>The hash of the data, a last block of zeros behind it where it ends inside, and its length.</summary>
    public Vector128<byte> Compute(ReadOnlySpan<byte> data)
    {
        var sum = Vector128<ulong>.Zero;
        fixed (byte* bytes = data)
        {
            var whole = data.Length / (Together * BlockSize);
            sum = AddSixteens(sum, bytes, whole);
            var rest = data[(whole * Together * BlockSize)..];
            for (; rest.Length >= BlockSize; rest = rest[BlockSize..])
            {
                sum = Add(sum, Vector128.Create(rest[..BlockSize]));
            }

            if (!rest.IsEmpty)
            {
                var last = Vector128<byte>.Zero;
                rest.CopyTo(MemoryMarshal.AsBytes(new Span<Vector128<byte>>(ref last)));
                sum = Add(sum, last);
            }
        }

        // Lengths in bits: of the associated data, and of the text there is none of.
        return Backwards(Multiply(sum ^ Vector128.Create(0UL, (ulong)data.Length * 8), Powers[Together - 1]).AsByte()).AsByte();
    }

    /// <summary>Zeroes the powers.</summary>
    public void Dispose() => _powers.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Vector128<ulong> AddSixteens(Vector128<ulong> sum, byte* data, int count)
    {
        var order = Vector256.Create(Order, Order);
        var powers = (Vector256<ulong>*)_powers.Pointer;
        for (; count > 0; count--)
        {
            var (low, middle, high) = (Vector256<ulong>.Zero, Vector256<ulong>.Zero, Vector256<ulong>.Zero);
            for (var pair = 0; pair < Together / 2; pair++)
            {
                var blocks = Avx2.Shuffle(Vector256.Load(data), order).AsUInt64();
                blocks ^= sum.ToVector256();
                sum = Vector128<ulong>.Zero;
                var power = powers[pair];
                low ^= Pclmulqdq.V256.CarrylessMultiply(blocks, power, 0x00);
                high ^= Pclmulqdq.V256.CarrylessMultiply(blocks, power, 0x11);
                var halves = blocks ^ Avx2.Shuffle(blocks.AsUInt32(), SwapHalves).AsUInt64();
                middle ^= Pclmulqdq.V256.CarrylessMultiply(halves, powers[(Together / 2) + pair], 0x00);
                data += PairSize;
            }

            // Karatsuba: the product of the sums of halves is all four products.
            middle ^= low ^ high;

            sum = Reduce(low.GetLower() ^ low.GetUpper(), middle.GetLower() ^ middle.GetUpper(), high.GetLower() ^ high.GetUpper());
        }

        return sum;
    }

    private Vector128<ulong> Add(Vector128<ulong> sum, Vector128<byte> block) => Multiply(sum ^ Backwards(block), Powers[Together - 1]);

    private static Vector128<ulong> Swap(Vector128<ulong> a) => Sse2.Shuffle(a.AsUInt32(), SwapHalves).AsUInt64();

    private static Vector128<ulong> Backwards(Vector128<byte> block) => Ssse3.Shuffle(block, Order).AsUInt64();

    /// <summary>a·x modulo the polynomial.</summary>
    private static Vector128<ulong> TimesX(Vector128<ulong> a)
    {
        var carries = a >>> 63;
        var carry = Vector128<ulong>.Zero - Vector128.Create(carries.GetElement(1));
        return (a << 1) ^ Sse2.ShiftLeftLogical128BitLane(carries, 8) ^ (Polynomial & carry);
    }

    private static Vector128<ulong> Multiply(Vector128<ulong> a, Vector128<ulong> b) => Reduce(
        Pclmulqdq.CarrylessMultiply(a, b, 0x00),
        Pclmulqdq.CarrylessMultiply(a, b, 0x01) ^ Pclmulqdq.CarrylessMultiply(a, b, 0x10),
        Pclmulqdq.CarrylessMultiply(a, b, 0x11));

    /// <summary>low + middle·x⁶⁴ + high·x¹²⁸, times x⁻¹²⁸.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Reduce(Vector128<ulong> low, Vector128<ulong> middle, Vector128<ulong> high)
    {
        low ^= Sse2.ShiftLeftLogical128BitLane(middle, 8);
        high ^= Sse2.ShiftRightLogical128BitLane(middle, 8);
        return high ^ Fold(Fold(low));
    }

    /// <summary>Adds the multiple of the polynomial that clears the lower 64 bits, and divides by x⁶⁴.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> low) =>
        Swap(low) ^ Pclmulqdq.CarrylessMultiply(low, Polynomial, 0x10);
}
