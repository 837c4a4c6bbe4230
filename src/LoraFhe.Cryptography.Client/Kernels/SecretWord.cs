using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>Scalar arithmetic modulo q on secret words, without a branch, whose time would depend on the secret. No <see cref="Math.Min(uint, uint)"/> here: the compiler turns it into a jump.</summary>
internal static class SecretWord
{
    private const uint Modulus = Modular.Modulus;

    /// <summary>a + b, both and the result in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint a, uint b) => Modular.Add(a, b);

    /// <summary>a − b, both and the result in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Subtract(uint a, uint b) => Modular.Subtract(a, b);

    /// <summary>a·factor, a any word, the result in [0, q).</summary>
    /// <param name="a">The word.</param>
    /// <param name="factor">A public number below q.</param>
    /// <param name="quotient">Its <see cref="Modular.ShoupQuotient"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Multiply(uint a, uint factor, uint quotient) =>
        Modular.MultiplyShoup(a, factor, quotient);

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
