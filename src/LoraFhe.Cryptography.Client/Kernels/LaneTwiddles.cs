using System.Numerics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Twiddles as the lane kernels read them: each beside its Shoup quotient. Public numbers, pinned for the life of the process.</summary>
internal static unsafe class LaneTwiddles
{
    private static readonly uint[]?[] ForwardCache = new uint[Entries][];

    private static readonly uint[]?[] InverseCache = new uint[Entries][];

    private static int Entries => BitOperations.Log2(EncryptedLinearParameters.MaxRingDegree) + 1;

    /// <summary>Pairs (ψ^bitreverse(i), quotient): entry m + g for group g of the stage of m groups.</summary>
    public static uint* Forward(int degree) =>
        Get(ForwardCache, degree, static transform => Pairs(transform.Twiddles, transform.TwiddleQuotients));

    /// <summary>Pairs (ψ^−bitreverse(i), quotient), in the same places.</summary>
    public static uint* Inverse(int degree) =>
        Get(InverseCache, degree, static transform => Pairs(transform.InverseTwiddles, transform.InverseTwiddleQuotients));

    private static uint* Get(uint[]?[] cache, int degree, Func<NegacyclicTransform, uint[]> make)
    {
        // Two threads may both make it; they make the same.
        ref var entry = ref cache[BitOperations.Log2((uint)degree)];
        var table = Volatile.Read(ref entry);
        if (table is null)
        {
            var made = make(NegacyclicTransform.OfDegree(degree));
            table = Interlocked.CompareExchange(ref entry, made, null) ?? made;
        }

        fixed (uint* pointer = table)
        {
            return pointer;
        }
    }

    private static uint[] Pairs(ReadOnlySpan<uint> twiddles, ReadOnlySpan<uint> quotients)
    {
        var table = GC.AllocateUninitializedArray<uint>(2 * twiddles.Length, pinned: true);
        for (var i = 0; i < twiddles.Length; i++)
        {
            table[2 * i] = twiddles[i];
            table[(2 * i) + 1] = quotients[i];
        }

        return table;
    }
}
