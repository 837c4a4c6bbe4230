using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class ModularTests
{
    private const uint Q = EncryptedLinearParameters.Modulus;

    private static readonly Gen<uint> Residue = Gen.OneOf(
        Gen.UInt[0, Q - 1],
        Gen.OneOfConst(0u, 1u, 2u, Q - 1, Q - 2, (uint)EncryptedLinearParameters.HalfModulus, (uint)EncryptedLinearParameters.HalfModulus + 1));

    [Fact]
    public void Sums_differences_and_products_are_those_of_integers_modulo_q() =>
        Gen.Select(Residue, Residue).Sample((a, b) =>
        {
            Assert.Equal((uint)(((ulong)a + b) % Q), Modular.Add(a, b));
            Assert.Equal((uint)(((ulong)a + Q - b) % Q), Modular.Subtract(a, b));
            Assert.Equal((uint)((UInt128)a * b % Q), Modular.Multiply(a, b));
            Assert.Equal(0u, Modular.Add(a, Modular.Negate(a)));
        });

    [Fact]
    public void Shoup_products_agree_for_every_32_bit_factor() =>
        Gen.Select(Gen.OneOf(Gen.UInt, Gen.OneOfConst(uint.MaxValue, Q, 2 * Q)), Residue).Sample((a, factor) =>
        {
            var quotient = Modular.ShoupQuotient(factor);
            var lazy = Modular.MultiplyShoupLazy(a, factor, quotient);
            Assert.True(lazy < 2 * Q);
            Assert.Equal((uint)((UInt128)a * factor % Q), lazy % Q);
            Assert.Equal(lazy % Q, Modular.MultiplyShoup(a, factor, quotient));
        });

    [Fact]
    public void Montgomery_reduction_divides_by_two_to_the_32() =>
        Gen.OneOf(Gen.ULong[0, ((ulong)Q << 32) - 1], Gen.Const(((ulong)Q << 32) - 1), Gen.Const(0UL)).Sample(product =>
        {
            var reduced = Modular.MontgomeryReduce(product);
            Assert.True(reduced < Q);
            Assert.Equal((uint)(product % Q), (uint)(((ulong)reduced << 32) % Q));
        });

    [Fact]
    public void Montgomery_constants_are_what_they_are_called()
    {
        Assert.Equal(uint.MaxValue, unchecked(Modular.NegatedInverse * Q));
        Assert.Equal(Modular.MontgomeryOne, (uint)((1UL << 32) % Q));
        Assert.Equal(Modular.MontgomerySquare, (uint)((UInt128.One << 64) % Q));
        Assert.Equal(5u, Modular.MontgomeryReduce((ulong)Modular.MontgomeryReduce(5UL * Modular.MontgomerySquare)));
        Assert.Equal(1u << 31, Modular.PowerOfTwoExcess + Q);
    }

    [Fact]
    public void Centering_and_back_is_the_identity() =>
        Residue.Sample(a =>
        {
            var centered = Modular.Center(a);
            Assert.InRange(centered, -EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus);
            Assert.Equal(a, Modular.FromCentered(centered));
        });

    [Fact]
    public void Any_64_bit_integer_reduces_to_its_centered_residue() =>
        Gen.OneOf(Gen.Long, Gen.OneOfConst(long.MinValue, long.MaxValue, Q, -(long)Q)).Sample(a =>
        {
            var reduced = Modular.Reduce(a);
            Assert.InRange(reduced, -EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus);
            Assert.Equal(0, (Int128)(a - (Int128)reduced) % Q);
        });

    [Fact]
    public void Inverses_multiply_to_one() =>
        Gen.UInt[1, Q - 1].Sample(a => Assert.Equal(1u, Modular.Multiply(a, Modular.Inverse(a))));

    [Fact]
    public void The_generator_is_the_smallest_one()
    {
        // q − 1 = 2¹² · 3 · 5 · 7 · 4993.
        uint[] primes = [2, 3, 5, 7, 4993];
        Assert.Equal(Q - 1, 4096u * 3 * 5 * 7 * 4993);
        bool Generates(uint g) => primes.All(p => Modular.PowerVariableTime(g, (Q - 1) / p) != 1);
        Assert.Equal(Modular.Generator, Enumerable.Range(2, 100).Select(g => (uint)g).First(Generates));
    }
}
