using System.Numerics;

namespace LoraFhe.Tools.Replay;

/// <summary>Z_q[X]/(X^r + 1), polynomials by their values at the odd powers of ψ, in bit-reversed order.</summary>
internal sealed class Ring
{
    private const long Half = (Field.Q + 1) / 2;
    private readonly int _degree;
    private readonly int[] _exponents;
    private readonly long[] _powers;

    public Ring(int degree)
    {
        _degree = degree;
        var psi = Field.Power(Field.Generator(), (Field.Q - 1) / (2 * degree));
        _powers = new long[2 * degree];
        _powers[0] = 1;
        for (var i = 1; i < _powers.Length; i++)
        {
            _powers[i] = _powers[i - 1] * psi % Field.Q;
        }

        var bits = BitOperations.Log2((uint)degree);
        _exponents = new int[degree];
        for (var i = 0; i < degree; i++)
        {
            var reversed = 0;
            for (var b = 0; b < bits; b++)
            {
                reversed |= ((i >> b) & 1) << (bits - 1 - b);
            }

            _exponents[i] = (2 * reversed) + 1;
        }
    }

    public long[] Values(ReadOnlySpan<sbyte> polynomial)
    {
        var values = new long[_degree];
        for (var i = 0; i < _degree; i++)
        {
            long sum = 0;
            for (var t = 0; t < _degree; t++)
            {
                sum += polynomial[t] * _powers[(_exponents[i] * t) & ((2 * _degree) - 1)];
            }

            values[i] = Field.Mod(sum);
        }

        return values;
    }

    /// <summary>The coefficients of the polynomial with these values.</summary>
    /// <remarks>Neighbors in bit-reversed order are the values at x and −x. Half their sum is the polynomial's even part at x², half their difference
    /// its odd part at x², times x: two polynomials of half the degree, by their values in the same order.</remarks>
    public long[] Coefficients(long[] values) => Coefficients(values, step: 1);

    private long[] Coefficients(long[] values, int step)
    {
        if (values.Length == 1)
        {
            return values;
        }

        var half = values.Length / 2;
        var (even, odd) = (new long[half], new long[half]);
        for (var i = 0; i < half; i++)
        {
            // x is ψ to the power of this ring's exponent, a multiple of step; 1/x is the power with its sign changed.
            var inverse = _powers[-(_exponents[2 * i * step] * step) & ((2 * _degree) - 1)];
            even[i] = Field.Mod((values[2 * i] + values[(2 * i) + 1]) * Half);
            odd[i] = Field.Mod((values[2 * i] - values[(2 * i) + 1]) * Half) * inverse % Field.Q;
        }

        (even, odd) = (Coefficients(even, 2 * step), Coefficients(odd, 2 * step));
        return [.. even.Zip(odd).SelectMany(pair => new[] { pair.First, pair.Second })];
    }
}
