namespace LoraFhe.Models;

/// <summary>A shuffle that is a function of its arguments alone, on every machine and in every version: a resumed run depends on it.</summary>
/// <remarks>Fisher and Yates's shuffle, driven by SplitMix64 (Steele, Lea, Flood 2014). A test freezes its results.</remarks>
internal static class EpochOrder
{
    /// <summary>The numbers from 0 to below <paramref name="count"/> in the epoch's order; every order is equally likely over seeds.</summary>
    public static int[] Shuffle(int count, int seed, int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        ulong state = ((ulong)(uint)seed << 32) | (uint)epoch;
        for (int last = count - 1; last > 0; last--)
        {
            int other = (int)Below((ulong)last + 1, ref state);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return order;
    }

    // Words above the last whole multiple of the bound are drawn again: no remainder is favored.
    private static ulong Below(ulong bound, ref ulong state)
    {
        ulong word;
        do
        {
            word = Next(ref state);
        }
        while (word >= ulong.MaxValue - (ulong.MaxValue % bound));

        return word % bound;
    }

    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
