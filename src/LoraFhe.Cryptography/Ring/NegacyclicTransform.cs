using System.Numerics;

namespace LoraFhe.Cryptography;

/// <summary>The r-point negacyclic number-theoretic transform of Z_q[X]/(X^r + 1): its tables, and the plain scalar form beside which
/// faster ones stand.</summary>
/// <remarks>
/// Value i is the polynomial at ψ_r^(2·bitreverse(i) + 1), ψ_r = g^((q−1)/(2r)), g = 11, bitreverse over log₂ r bits. The order is part of
/// the scheme: the words of the
/// public matrix are values in this order. Immutable and safe for use by several threads.
/// Source: Longa and Naehrig, "Speeding up the number theoretic transform" (2016), algorithms 1 and 2; docs/scheme.md, Ring.
/// </remarks>
internal sealed class NegacyclicTransform
{
    /// <summary>The largest degree whose 2r-th roots of unity exist: q ≡ 1 modulo 4096.</summary>
    public const int MaxDegree = 2048;

    private static readonly NegacyclicTransform?[] Cache = new NegacyclicTransform?[BitOperations.Log2(MaxDegree) + 1];

    private readonly uint[] _twiddles;
    private readonly uint[] _twiddleQuotients;
    private readonly uint[] _inverseTwiddles;
    private readonly uint[] _inverseTwiddleQuotients;

    private NegacyclicTransform(int degree)
    {
        Degree = degree;
        Root = RootOfUnity(degree);
        DegreeInverse = Modular.Inverse((uint)degree);
        DegreeInverseQuotient = Modular.ShoupQuotient(DegreeInverse);
        _twiddles = Powers(Root, degree);
        _inverseTwiddles = Powers(Modular.Inverse(Root), degree);
        _twiddleQuotients = Array.ConvertAll(_twiddles, Modular.ShoupQuotient);
        _inverseTwiddleQuotients = Array.ConvertAll(_inverseTwiddles, Modular.ShoupQuotient);
    }

    /// <summary>r.</summary>
    public int Degree { get; }

    /// <summary>ψ_r, a primitive 2r-th root of unity.</summary>
    public uint Root { get; }

    /// <summary>r⁻¹ modulo q, the inverse transform's last factor.</summary>
    public uint DegreeInverse { get; }

    /// <summary>Shoup's quotient of <see cref="DegreeInverse"/>.</summary>
    public uint DegreeInverseQuotient { get; }

    /// <summary>ψ_r^bitreverse(i) at i: a stage of m butterfly groups uses entries m to 2m − 1.</summary>
    public ReadOnlySpan<uint> Twiddles => _twiddles;

    /// <summary>Shoup's quotients of <see cref="Twiddles"/>.</summary>
    public ReadOnlySpan<uint> TwiddleQuotients => _twiddleQuotients;

    /// <summary>ψ_r^−bitreverse(i) at i.</summary>
    public ReadOnlySpan<uint> InverseTwiddles => _inverseTwiddles;

    /// <summary>Shoup's quotients of <see cref="InverseTwiddles"/>.</summary>
    public ReadOnlySpan<uint> InverseTwiddleQuotients => _inverseTwiddleQuotients;

    /// <summary>The transform of one degree; made once.</summary>
    /// <param name="degree">A power of two, 2 to <see cref="MaxDegree"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="degree"/> is anything else.</exception>
    public static NegacyclicTransform OfDegree(int degree)
    {
        if (degree is < 2 or > MaxDegree || !BitOperations.IsPow2(degree))
        {
            throw Errors.TransformDegree(degree, nameof(degree));
        }

        // Two threads may both make it; they make the same.
        ref var entry = ref Cache[BitOperations.Log2((uint)degree)];
        return Volatile.Read(ref entry) ?? Interlocked.CompareExchange(ref entry, new NegacyclicTransform(degree), null) ?? entry;
    }

    /// <summary>ψ_r = g^((q−1)/(2r)).</summary>
    public static uint RootOfUnity(int degree) => Modular.PowerVariableTime(Modular.Generator, (Modular.Modulus - 1) / (2 * (uint)degree));

    /// <summary>The lowest <paramref name="bits"/> bits of a number, mirrored.</summary>
    public static int BitReverse(int value, int bits)
    {
        var result = 0;
        for (var i = 0; i < bits; i++)
        {
            result = (result << 1) | ((value >> i) & 1);
        }

        return result;
    }

    /// <summary>Coefficients to values, in place; all words in [0, q).</summary>
    /// <exception cref="ArgumentException">There are not <see cref="Degree"/> values.</exception>
    public void ForwardReference(Span<uint> values)
    {
        Check(values.Length);
        var half = Degree;
        for (var groups = 1; groups < Degree; groups *= 2)
        {
            half /= 2;
            for (var group = 0; group < groups; group++)
            {
                // Cooley–Tukey: (x, y) becomes (x + ty, x − ty); all in [0, q).
                var twiddle = _twiddles[groups + group];
                var quotient = _twiddleQuotients[groups + group];
                var start = 2 * group * half;
                for (var i = start; i < start + half; i++)
                {
                    var product = Modular.MultiplyShoup(values[i + half], twiddle, quotient);
                    values[i + half] = Modular.Subtract(values[i], product);
                    values[i] = Modular.Add(values[i], product);
                }
            }
        }
    }

    /// <summary>Values to coefficients, in place; all words in [0, q).</summary>
    /// <exception cref="ArgumentException">There are not <see cref="Degree"/> values.</exception>
    public void InverseReference(Span<uint> values)
    {
        Check(values.Length);
        var half = 1;
        for (var groups = Degree / 2; groups >= 1; groups /= 2)
        {
            for (var group = 0; group < groups; group++)
            {
                // Gentleman–Sande: (x, y) becomes (x + y, t(x − y)); all in [0, q).
                var twiddle = _inverseTwiddles[groups + group];
                var quotient = _inverseTwiddleQuotients[groups + group];
                var start = 2 * group * half;
                for (var i = start; i < start + half; i++)
                {
                    var difference = Modular.Subtract(values[i], values[i + half]);
                    values[i] = Modular.Add(values[i], values[i + half]);
                    values[i + half] = Modular.MultiplyShoup(difference, twiddle, quotient);
                }
            }

            half *= 2;
        }

        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Modular.MultiplyShoup(values[i], DegreeInverse, DegreeInverseQuotient);
        }
    }

    private void Check(int length)
    {
        if (length != Degree)
        {
            throw Errors.TransformLength(length, Degree, "values");
        }
    }

    private static uint[] Powers(uint root, int degree)
    {
        var bits = BitOperations.Log2((uint)degree);
        var powers = new uint[degree];
        var power = 1u;
        for (var i = 0; i < degree; i++)
        {
            powers[BitReverse(i, bits)] = power;
            power = Modular.Multiply(power, root);
        }

        return powers;
    }
}
