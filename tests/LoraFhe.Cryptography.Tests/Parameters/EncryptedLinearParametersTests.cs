using System.Numerics;

namespace LoraFhe.Cryptography.Tests;

public sealed class EncryptedLinearParametersTests
{
    [Fact]
    public void The_modulus_is_prime_and_has_the_roots_of_unity_that_every_ring_degree_needs()
    {
        const uint q = EncryptedLinearParameters.Modulus;
        for (var divisor = 2u; (ulong)divisor * divisor <= q; divisor++)
        {
            Assert.NotEqual(0u, q % divisor);
        }

        Assert.Equal(1u, q % 4096);
        Assert.Equal(q, (2u * EncryptedLinearParameters.HalfModulus) + 1);
    }

    [Fact]
    public void The_secret_dimension_is_a_whole_number_of_ring_elements_for_every_degree()
    {
        for (var degree = EncryptedLinearParameters.MinRingDegree; degree <= EncryptedLinearParameters.MaxRingDegree; degree *= 2)
        {
            Assert.True(BitOperations.IsPow2(degree));
            Assert.Equal(0, EncryptedLinearParameters.SecretDimension % degree);
        }
    }

    [Fact]
    public void The_id_never_changes() =>
        Assert.Equal("0190FE7F000600000200000015000000", Convert.ToHexString(EncryptedLinearParameters.Id));
}
