using System.Numerics;

namespace LoraFhe.Tools.Replay;

/// <summary>Numbers modulo q.</summary>
internal static class Field
{
    public const long Q = 2147389441;

    public static long Mod(long a) => ((a % Q) + Q) % Q;

    public static long Center(long a) => Mod(a) > (Q - 1) / 2 ? Mod(a) - Q : Mod(a);

    public static long Power(long a, long exponent) => (long)BigInteger.ModPow(a, exponent, Q);

    /// <summary>The smallest generator of the multiplicative group: its powers by (q-1)/p are not 1 for any prime p that divides q-1.</summary>
    public static long Generator()
    {
        var primes = new List<long>();
        var rest = Q - 1;
        for (long p = 2; p * p <= rest; p++)
        {
            while (rest % p == 0)
            {
                primes.Add(p);
                rest /= p;
            }
        }

        primes.Add(rest);
        for (long g = 2; ; g++)
        {
            if (primes.All(p => p == 1 || Power(g, (Q - 1) / p) != 1))
            {
                return g;
            }
        }
    }
}
