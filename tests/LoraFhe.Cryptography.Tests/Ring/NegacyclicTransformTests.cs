using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class NegacyclicTransformTests
{
    private const uint Q = EncryptedLinearParameters.Modulus;

    public static TheoryData<int> Degrees => [2, 4, 64, 128, 256, 512, 1024, 2048];

    [Theory]
    [InlineData(64, 970638217u, "527F97307B727E42CC01EFBC9FFCAADB2A9CBD48F586BCC923BE93732B067E4C")]
    [InlineData(128, 151722968u, "B3F2666104F9BAC91B2F32CCF1B0B4E667AFFAE55E99754AD20DF2569237A9E9")]
    [InlineData(256, 542980995u, "BD0C52F6AD2BE87B5D41A2A5D368F3A6619600807CF183BC88B0CCC31A46C13E")]
    [InlineData(512, 1133102181u, "3A58467B2785FF7DA9B09EF7536FBED263A484ABCC0A8AC27BBDD19ACDD9DDD9")]
    public void Roots_and_twiddles_never_change(int degree, uint root, string tablesHash)
    {
        // Recorded from Python's integers: the twiddles, then the inverse ones, 32 bits each, little-endian.
        var transform = NegacyclicTransform.OfDegree(degree);
        Assert.Equal(root, transform.Root);
        var tables = MemoryMarshal.AsBytes<uint>([.. transform.Twiddles, .. transform.InverseTwiddles]);
        Assert.Equal(tablesHash, Convert.ToHexString(SHA256.HashData(tables)));
    }

    [Theory]
    [MemberData(nameof(Degrees))]
    public void Quotients_belong_to_their_twiddles(int degree)
    {
        var transform = NegacyclicTransform.OfDegree(degree);
        for (var i = 0; i < degree; i++)
        {
            Assert.Equal(Modular.ShoupQuotient(transform.Twiddles[i]), transform.TwiddleQuotients[i]);
            Assert.Equal(Modular.ShoupQuotient(transform.InverseTwiddles[i]), transform.InverseTwiddleQuotients[i]);
            Assert.Equal(1u, Modular.Multiply(transform.Twiddles[i], transform.InverseTwiddles[i]));
        }
    }

    [Theory]
    [MemberData(nameof(Degrees))]
    public void The_root_is_a_primitive_2r_th_root_of_unity(int degree) =>
        Assert.Equal(Q - 1, Modular.PowerVariableTime(NegacyclicTransform.OfDegree(degree).Root, (uint)degree));

    [Theory]
    [MemberData(nameof(Degrees))]
    public void Value_i_is_the_polynomial_at_the_odd_power_of_the_bit_reversed_index(int degree)
    {
        var transform = NegacyclicTransform.OfDegree(degree);
        var coefficients = Random(degree, 1);
        var values = coefficients.ToArray();
        transform.ForwardReference(values);
        for (var i = 0; i < degree; i += Math.Max(1, degree / 16))
        {
            var exponent = (2 * NegacyclicTransform.BitReverse(i, BitOperations.Log2((uint)degree))) + 1;
            var point = Modular.PowerVariableTime(transform.Root, (uint)exponent);
            var value = 0u;
            for (var c = degree - 1; c >= 0; c--)
            {
                value = Modular.Add(Modular.Multiply(value, point), coefficients[c]);
            }

            Assert.Equal(value, values[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Degrees))]
    public void The_inverse_undoes_the_transform(int degree) =>
        Gen.ULong.Sample(
            seed =>
            {
                var transform = NegacyclicTransform.OfDegree(degree);
                var coefficients = Random(degree, seed);
                var values = coefficients.ToArray();
                transform.ForwardReference(values);
                transform.InverseReference(values);
                Assert.Equal(coefficients, values);
            },
            iter: 10);

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Products_of_values_are_products_modulo_X_to_the_r_plus_1(int degree) =>
        Gen.Select(Gen.ULong, Gen.ULong).Sample(
            (seedA, seedB) =>
            {
                var transform = NegacyclicTransform.OfDegree(degree);
                var a = Random(degree, seedA);
                var b = Random(degree, seedB);
                var expected = Schoolbook(a, b);
                transform.ForwardReference(a);
                transform.ForwardReference(b);
                var product = a.Zip(b, Modular.Multiply).ToArray();
                transform.InverseReference(product);
                Assert.Equal(expected, product);
            },
            iter: 3);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(96)]
    [InlineData(4096)]
    [InlineData(-64)]
    public void A_degree_without_a_transform_is_refused(int degree) =>
        Assert.Throws<ArgumentException>(nameof(degree), () => NegacyclicTransform.OfDegree(degree));

    [Fact]
    public void Another_number_of_values_is_refused()
    {
        Assert.Throws<ArgumentException>("values", () => NegacyclicTransform.OfDegree(64).ForwardReference(new uint[63]));
        Assert.Throws<ArgumentException>("values", () => NegacyclicTransform.OfDegree(64).InverseReference(new uint[65]));
    }

    private static uint[] Random(int degree, ulong seed) => [.. TestLayers.Words(1, degree, seed).Select(Modular.FromCentered)];

    private static uint[] Schoolbook(uint[] a, uint[] b)
    {
        var result = new uint[a.Length];
        for (var i = 0; i < a.Length; i++)
        {
            for (var j = 0; j < b.Length; j++)
            {
                var product = Modular.Multiply(a[i], b[j]);
                var index = i + j;
                result[index % a.Length] = index < a.Length
                    ? Modular.Add(result[index], product)
                    : Modular.Subtract(result[index - a.Length], product);
            }
        }

        return result;
    }
}
