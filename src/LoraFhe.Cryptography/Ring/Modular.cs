using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Arithmetic modulo q, in the plain scalar forms that the vector kernels are checked against.</summary>
/// <remarks>A <c>Lazy</c> method's result is congruent but not fully reduced; its name's doc gives the interval.
/// Sources: Montgomery (1985); Shoup's multiplication by a known factor, as in Harvey, "Faster arithmetic for number-theoretic transforms"
/// (2014).</remarks>
internal static class Modular
{
    /// <summary>q.</summary>
    public const uint Modulus = EncryptedLinearParameters.Modulus;

    /// <summary>2³¹ − q: 2³¹ is congruent to it.</summary>
    public const uint PowerOfTwoExcess = (1u << 31) - Modulus;

    /// <summary>The smallest generator of the multiplicative group.</summary>
    public const uint Generator = 11;

    /// <summary>−q⁻¹ modulo 2³², Montgomery's constant.</summary>
    public const uint NegatedInverse = 1862176767;

    /// <summary>2³² modulo q: Montgomery's form of 1.</summary>
    public const uint MontgomeryOne = 188414;

    /// <summary>2⁶⁴ modulo q: a Montgomery product with it enters Montgomery's form.</summary>
    public const uint MontgomerySquare = 1141604340;

    /// <summary>From [0, 2q) to [0, q), without a branch: the compiler turns <see cref="Math.Min(uint, uint)"/> into a jump.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ReduceOnce(uint a)
    {
        // 2q < 2³²: a − q lies in [−q, q) as a signed number, and its sign says whether q is added back.
        var difference = a - Modulus;
        return difference + (Modulus & (uint)((int)difference >> 31));
    }

    /// <summary>a + b, both and the result in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint a, uint b)
    {
        Debug.Assert(a < Modulus && b < Modulus);
        return ReduceOnce(a + b);
    }

    /// <summary>a − b, both and the result in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Subtract(uint a, uint b)
    {
        Debug.Assert(a < Modulus && b < Modulus);
        return ReduceOnce(a + (Modulus - b));
    }

    /// <summary>−a, a and the result in [0, q).</summary>
    public static uint Negate(uint a) => Subtract(0, a);

    /// <summary>a·b modulo q, in [0, q).</summary>
    public static uint Multiply(uint a, uint b) => (uint)((ulong)a * b % Modulus);

    /// <summary>a^exponent modulo q. Its time depends on the exponent, which is public wherever this is used.</summary>
    public static uint PowerVariableTime(uint a, uint exponent)
    {
        var result = 1u;
        for (var square = a % Modulus; exponent != 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                result = Multiply(result, square);
            }

            square = Multiply(square, square);
        }

        return result;
    }

    /// <summary>a⁻¹ modulo q, for a not divisible by q: a^(q−2), Fermat.</summary>
    public static uint Inverse(uint a) => PowerVariableTime(a, Modulus - 2);

    /// <summary>⌊factor·2³²/q⌋, what <see cref="MultiplyShoupLazy"/> needs beside a known factor in [0, q).</summary>
    public static uint ShoupQuotient(uint factor)
    {
        Debug.Assert(factor < Modulus);
        return (uint)(((ulong)factor << 32) / Modulus);
    }

    /// <summary>a·factor modulo q, in [0, 2q), for any 32-bit a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MultiplyShoupLazy(uint a, uint factor, uint quotient)
    {
        // The quotient's estimate is short by at most one: the remainder lies below 2q < 2³².
        var estimate = (uint)(((ulong)a * quotient) >> 32);
        return (a * factor) - (estimate * Modulus);
    }

    /// <summary>a·factor modulo q, in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MultiplyShoup(uint a, uint factor, uint quotient) => ReduceOnce(MultiplyShoupLazy(a, factor, quotient));

    /// <summary>product·2⁻³² modulo q, in [0, q), for a product below q·2³².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MontgomeryReduce(ulong product)
    {
        // product + m·q < 2·q·2³² < 2⁶⁴.
        Debug.Assert(product < (ulong)Modulus << 32);
        var multiple = (uint)product * NegatedInverse;
        return ReduceOnce((uint)((product + ((ulong)multiple * Modulus)) >> 32));
    }

    /// <summary>From [0, q) to ±(q−1)/2, as words travel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Center(uint a)
    {
        Debug.Assert(a < Modulus);
        var borrow = (EncryptedLinearParameters.HalfModulus - (int)a) >> 31;
        return (int)a - ((int)Modulus & borrow);
    }

    /// <summary>From ±(q−1)/2, or anything in (−q, q), to [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromCentered(int a)
    {
        Debug.Assert(a > -(int)Modulus && a < (int)Modulus);
        return (uint)a + (Modulus & (uint)(a >> 31));
    }

    /// <summary>Any 64-bit integer modulo q, in ±(q−1)/2.</summary>
    public static int Reduce(long a)
    {
        var remainder = a % (long)Modulus;
        return Center((uint)(remainder < 0 ? remainder + Modulus : remainder));
    }
}
