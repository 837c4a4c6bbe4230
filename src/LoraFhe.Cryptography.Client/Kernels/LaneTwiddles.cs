using System.Numerics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Twiddles of the inverse transform as the lane kernels read them: each beside its Shoup quotient. Public numbers.</summary>
internal static unsafe class LaneTwiddles
{
    private static readonly uint[]?[] Cache = new uint[BitOperations.Log2(EncryptedLinearParameters.MaxRingDegree) + 1][];

    /// <summary>Pairs (twiddle, quotient), entry m + i for group i of the stage of m groups. The array is pinned for the life of the process.</summary>
    public static uint* OfDegree(int degree)
    {
        ref var entry = ref Cache[BitOperations.Log2((uint)degree)];
        var table = Volatile.Read(ref entry) ?? Interlocked.CompareExchange(ref entry, Make(degree), null) ?? entry;
        fixed (uint* pointer = table)
        {
            return pointer;
        }
    }

    private static uint[] Make(int degree)
    {
        var transform = NegacyclicTransform.OfDegree(degree);
        var table = GC.AllocateUninitializedArray<uint>(2 * degree, pinned: true);
        for (var i = 0; i < degree; i++)
        {
            table[2 * i] = transform.InverseTwiddles[i];
            table[(2 * i) + 1] = transform.InverseTwiddleQuotients[i];
        }

        return table;
    }
}
