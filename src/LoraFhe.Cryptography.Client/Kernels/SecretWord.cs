using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>Scalar arithmetic modulo q on secret words, without a branch: the compiler turns <see cref="Math.Min(uint, uint)"/> into a jump, whose time would depend on the secret.</summary>
internal static class SecretWord
{
    private const uint Modulus = Modular.Modulus;

    /// <summary>From [0, 2q) to [0, q).</summary>
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

    /// <summary>a·factor, a any word, the result in [0, q).</summary>
    /// <param name="a">The word.</param>
    /// <param name="factor">A public number below q.</param>
    /// <param name="quotient">Its <see cref="Modular.ShoupQuotient"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Multiply(uint a, uint factor, uint quotient) =>
        ReduceOnce((a * factor) - ((uint)(((ulong)a * quotient) >> 32) * Modulus));

    /// <summary>a·b, both any words, the result in [0, q). Division by a constant is a multiplication.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Multiply(uint a, uint b) => (uint)((ulong)a * b % Modulus);

    /// <summary>Any 64-bit integer modulo q, in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Reduce(long a)
    {
        var remainder = (int)(a % (long)Modulus);
        return (uint)remainder + (Modulus & (uint)(remainder >> 31));
    }
}
