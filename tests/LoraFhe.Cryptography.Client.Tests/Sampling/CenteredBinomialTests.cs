using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Sampling;

public sealed class CenteredBinomialTests
{
    private static readonly byte[] Random = new SplitMix(42).Bytes(2 * CenteredBinomial.ErrorBatchBytes);

    /// <summary>Expected: the definition written out in Python.</summary>
    [Fact]
    public void Errors_are_the_frozen_ones()
    {
        var errors = new sbyte[2 * CenteredBinomial.Batch];
        CenteredBinomial.Errors(Random, errors);
        Assert.Equal([-1, -2, 5, -2, -4, 0, -6, 1, 0, -2, 4, 1, 2, 1, 3, -9, 1, -6, -1, -1, 1, 0, 2, -2], errors[..24]);
        Assert.Equal("a8b924bec639714de45b962d6ada6ddbb912bff7b5183acc6204e6004d2762c2", Hash(errors));
    }

    /// <summary>Expected: the definition written out in Python.</summary>
    [Fact]
    public void Secrets_are_the_frozen_ones()
    {
        var secrets = new sbyte[EncryptedLinearParameters.SecretDimension];
        CenteredBinomial.Secrets(Random.AsSpan(0, 6 * CenteredBinomial.SecretBatchBytes), secrets);
        Assert.Equal([1, -1, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 2, 0, 1, -1, 1, -2, 0, -1, 1, -1, 1, -1], secrets[..24]);
        Assert.Equal("2a739dfed22df7158509d636197e6f403590aa2ec5faed178aa08565cb5bb2ea", Hash(secrets));
    }

    [Fact]
    public void The_vector_forms_give_the_plain_forms_bits()
    {
        Gen.ULong.Sample(
            static seed =>
            {
                var random = new SplitMix(seed).Bytes(3 * CenteredBinomial.ErrorBatchBytes);
                sbyte[] found = new sbyte[3 * CenteredBinomial.Batch], expected = new sbyte[3 * CenteredBinomial.Batch];
                CenteredBinomial.Errors(random, found);
                CenteredBinomial.Reference(EncryptedLinearParameters.ErrorEta, random, expected);
                Assert.Equal(expected, found);
                random = random[..(3 * CenteredBinomial.SecretBatchBytes)];
                CenteredBinomial.Secrets(random, found);
                CenteredBinomial.Reference(EncryptedLinearParameters.SecretEta, random, expected);
                Assert.Equal(expected, found);
            },
            iter: 50);
    }

    [Theory]
    [InlineData(0x00, -21)]
    [InlineData(0xff, 21)]
    public void Equal_bits_give_the_ends_of_the_range(byte fill, int expected)
    {
        var random = new byte[CenteredBinomial.ErrorBatchBytes];
        Array.Fill(random, fill);
        var errors = new sbyte[CenteredBinomial.Batch];
        CenteredBinomial.Errors(random, errors);
        Assert.All(errors, e => Assert.Equal(expected, e));
    }

    [Fact]
    public void The_distribution_is_centered_binomial()
    {
        // A fixed sample of 2¹⁸: chi-square over the 13 values within ±6, bound 60 (a false alarm has probability below 1e-6, once, as the sample is fixed).
        const int batches = 1024;
        var errors = new sbyte[batches * CenteredBinomial.Batch];
        CenteredBinomial.Errors(new SplitMix(7).Bytes(batches * CenteredBinomial.ErrorBatchBytes), errors);
        var statistic = 0.0;
        for (var value = -6; value <= 6; value++)
        {
            var probability = 1.0;
            for (var i = 1; i <= 21 + value; i++)
            {
                probability *= (42.0 - i + 1) / i;
            }

            var expected = errors.Length * probability / Math.Pow(2, 42);
            var found = errors.Count(e => e == value);
            statistic += (found - expected) * (found - expected) / expected;
        }

        var variance = errors.Average(static e => (double)e * e);
        TestContext.Current.TestOutputHelper?.WriteLine($"chi-square {statistic:f1} (bound 60), variance {variance:f3} (10.5 ± 0.15)");
        Assert.True(statistic < 60);
        Assert.InRange(variance, 10.35, 10.65);
    }

    private static string Hash(sbyte[] samples) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<sbyte>(samples)));
}
