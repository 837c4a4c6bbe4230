using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>The inverse negacyclic transform of as many polynomials as a vector has lanes, [r][lanes], without its division by r; and the forward one of a single polynomial.</summary>
/// <remarks>
/// Gentleman–Sande butterflies (x, y) → (x + y, t·(x − y)), three stages in one pass over memory while three are left, else two. Words stay in [0, q).
/// Source: Longa and Naehrig (2016), algorithm 2; Shoup's multiplication as in Harvey (2014).
/// </remarks>
internal static unsafe class LaneTransform<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const uint Modulus = Modular.Modulus;

    /// <summary>Values to coefficients times r, in place.</summary>
    /// <param name="values">[degree][lanes], below q.</param>
    /// <param name="degree">64 to 512.</param>
    /// <param name="twiddles">As <see cref="LaneTwiddles.Inverse"/> gives them.</param>
    public static void Inverse(uint* values, int degree, uint* twiddles)
    {
        var distance = 1;
        while (distance * 8 <= degree && distance * 16 != degree)
        {
            EightPoint(values, degree, distance, twiddles);
            distance *= 8;
        }

        while (distance < degree)
        {
            FourPoint(values, degree, distance, twiddles);
            distance *= 4;
        }
    }

    /// <summary>One polynomial's coefficients to values, in place: vectors along the coefficients while a butterfly's halves are that long.</summary>
    /// <param name="values">[degree], below q.</param>
    /// <param name="degree">64 to 512.</param>
    /// <param name="twiddles">As <see cref="LaneTwiddles.Forward"/> gives them.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(uint* values, int degree, uint* twiddles)
    {
        var q = TLanes.Broadcast(Modulus);
        var half = degree / 2;
        var groups = 1;
        for (; half >= TLanes.Count; half /= 2, groups *= 2)
        {
            for (var g = 0; g < groups; g++)
            {
                var twiddle = twiddles + (2 * (groups + g));
                var start = values + (2 * g * half);
                for (var p = start; p < start + half; p += TLanes.Count)
                {
                    // Cooley–Tukey: (x, y) → (x + ty, x − ty), all in [0, q).
                    var x = TLanes.Load(p);
                    var product = Multiply(TLanes.Load(p + half), q, twiddle);
                    TLanes.Store(Sum(x, product, q), p);
                    var difference = TLanes.Subtract(x, product);
                    TLanes.Store(TLanes.Min(difference, TLanes.Add(difference, q)), p + half);
                }
            }
        }

        for (; half >= 1; half /= 2, groups *= 2)
        {
            for (var g = 0; g < groups; g++)
            {
                var twiddle = twiddles + (2 * (groups + g));
                var start = values + (2 * g * half);
                for (var p = start; p < start + half; p++)
                {
                    var product = SecretWord.Multiply(p[half], twiddle[0], twiddle[1]);
                    p[half] = SecretWord.Subtract(*p, product);
                    *p = SecretWord.Add(*p, product);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightPoint(uint* values, int degree, int distance, uint* twiddles)
    {
        var q = TLanes.Broadcast(Modulus);
        var step = distance * TLanes.Count;
        var groups = degree / (8 * distance);
        for (var g = 0; g < groups; g++)
        {
            var first = twiddles + (2 * ((4 * groups) + (4 * g)));
            var second = twiddles + (2 * ((2 * groups) + (2 * g)));
            var third = twiddles + (2 * (groups + g));
            var start = values + (g * 8 * step);
            for (var p = start; p < start + step; p += TLanes.Count)
            {
                var x0 = TLanes.Load(p);
                var x1 = TLanes.Load(p + step);
                var x2 = TLanes.Load(p + (2 * step));
                var x3 = TLanes.Load(p + (3 * step));
                var x4 = TLanes.Load(p + (4 * step));
                var x5 = TLanes.Load(p + (5 * step));
                var x6 = TLanes.Load(p + (6 * step));
                var x7 = TLanes.Load(p + (7 * step));
                (x0, x1) = Butterfly(x0, x1, q, first);
                (x2, x3) = Butterfly(x2, x3, q, first + 2);
                (x4, x5) = Butterfly(x4, x5, q, first + 4);
                (x6, x7) = Butterfly(x6, x7, q, first + 6);
                (x0, x2) = Butterfly(x0, x2, q, second);
                (x1, x3) = Butterfly(x1, x3, q, second);
                (x4, x6) = Butterfly(x4, x6, q, second + 2);
                (x5, x7) = Butterfly(x5, x7, q, second + 2);
                TLanes.Store(Sum(x0, x4, q), p);
                TLanes.Store(Difference(x0, x4, q, third), p + (4 * step));
                TLanes.Store(Sum(x1, x5, q), p + step);
                TLanes.Store(Difference(x1, x5, q, third), p + (5 * step));
                TLanes.Store(Sum(x2, x6, q), p + (2 * step));
                TLanes.Store(Difference(x2, x6, q, third), p + (6 * step));
                TLanes.Store(Sum(x3, x7, q), p + (3 * step));
                TLanes.Store(Difference(x3, x7, q, third), p + (7 * step));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourPoint(uint* values, int degree, int distance, uint* twiddles)
    {
        var q = TLanes.Broadcast(Modulus);
        var step = distance * TLanes.Count;
        var groups = degree / (4 * distance);
        for (var g = 0; g < groups; g++)
        {
            var first = twiddles + (2 * ((2 * groups) + (2 * g)));
            var second = twiddles + (2 * (groups + g));
            var start = values + (g * 4 * step);
            for (var p = start; p < start + step; p += TLanes.Count)
            {
                var x0 = TLanes.Load(p);
                var x1 = TLanes.Load(p + step);
                var y = Difference(x0, x1, q, first);
                x0 = Sum(x0, x1, q);
                x1 = y;
                var x2 = TLanes.Load(p + (2 * step));
                var x3 = TLanes.Load(p + (3 * step));
                y = Difference(x2, x3, q, first + 2);
                x2 = Sum(x2, x3, q);
                x3 = y;
                TLanes.Store(Sum(x0, x2, q), p);
                TLanes.Store(Difference(x0, x2, q, second), p + (2 * step));
                TLanes.Store(Sum(x1, x3, q), p + step);
                TLanes.Store(Difference(x1, x3, q, second), p + (3 * step));
            }
        }
    }

    /// <summary>(x + y, t·(x − y)), all in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector Sum, TVector Difference) Butterfly(TVector x, TVector y, TVector q, uint* twiddle) => (Sum(x, y, q), Difference(x, y, q, twiddle));

    /// <summary>x + y, all in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sum(TVector x, TVector y, TVector q)
    {
        var sum = TLanes.Add(x, y);
        return TLanes.Min(sum, TLanes.Subtract(sum, q));
    }

    /// <summary>t·(x − y), all in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Difference(TVector x, TVector y, TVector q, uint* twiddle) => Multiply(TLanes.Add(TLanes.Subtract(x, y), q), q, twiddle);

    /// <summary>t·x, x any words, the result in [0, q): Shoup's estimate leaves it below 2q &lt; 2³².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Multiply(TVector x, TVector q, uint* twiddle)
    {
        var quotient = TLanes.Broadcast(twiddle[1]);
        var estimate = TLanes.MergeHigh(TLanes.MultiplyEven(x, quotient), TLanes.MultiplyEven(TLanes.OddToEven(x), quotient));
        var product = TLanes.Subtract(TLanes.MultiplyLow(x, TLanes.Broadcast(twiddle[0])), TLanes.MultiplyLow(estimate, q));
        return TLanes.Min(product, TLanes.Subtract(product, q));
    }
}
