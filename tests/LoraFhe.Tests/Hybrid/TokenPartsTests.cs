using CsCheck;
using LoraFhe.Cryptography;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Calls of many tokens, which threads share out in parts.</summary>
public sealed class TokenPartsTests
{
    [Fact]
    public void Parts_are_a_thread_each_cover_every_token_once_and_are_never_small() =>
        Gen.Select(Gen.Int[1, 3000], Gen.Int[1, 16]).Sample((tokens, threads) =>
        {
            var parts = TokenParts.Cut(tokens, threads);
            Assert.Equal(tokens / threads >= 128 ? threads : 1, parts.Length);
            Assert.Equal(tokens, parts.Sum(part => part.Tokens));
            for (var p = 0; p < parts.Length; p++)
            {
                Assert.Equal(parts.Take(p).Sum(part => part.Tokens), parts[p].First);
                Assert.True(parts.Length == 1 || parts[p].Tokens > 64);
                Assert.True(p == parts.Length - 1 || parts[p].Tokens % 64 == 0);
            }
        });

    [Theory]
    [InlineData(256)]
    [InlineData(300)]
    [InlineData(1031)]
    public void In_parts_or_whole_a_product_is_the_same_within_its_noise_and_counts_as_one(int tokens)
    {
        var layer = Layer();
        var rows = Enumerable.Range(0, tokens * 40).Select(i => MathF.Sin(i * 0.7f)).ToArray();
        foreach (var direction in Enum.GetValues<LayerDirection>())
        {
            var (whole, wholeTraffic) = Multiply(layer, direction, rows, tokens, threads: 1);
            var (parts, traffic) = Multiply(layer, direction, rows, tokens, threads: 2);
            Assert.NotEqual(whole, parts);
            var largest = whole.Max(MathF.Abs);
            Assert.All(whole.Zip(parts), pair => Assert.InRange(pair.Second - pair.First, -1e-3f * largest, 1e-3f * largest));
            Assert.Equal((1, wholeTraffic.ServerMultiplyAdds), (traffic.Calls, traffic.ServerMultiplyAdds));
            Assert.Equal((wholeTraffic.BytesUp + 64, wholeTraffic.BytesDown + 64), (traffic.BytesUp, traffic.BytesDown));
        }
    }

    [Fact]
    public void A_value_that_is_not_finite_is_refused_and_nothing_is_sent()
    {
        using var backend = new InProcessFheBackend(new InProcessFheOptions { MaxThreads = 2 });
        backend.Prepare([Layer()], progress: null, TestContext.Current.CancellationToken);
        var rows = new float[512 * 40];
        rows[^1] = float.NaN;

        Assert.ThrowsAny<Exception>(() => backend.Multiply(new LayerId("layer", LayerDirection.Forward), rows, 512, new float[512 * 40]));

        Assert.Equal(default, backend.Traffic);
    }

    private static (float[] Result, FheTraffic Traffic) Multiply(FheLayer layer, LayerDirection direction, float[] rows, int tokens, int threads)
    {
        using var backend = new InProcessFheBackend(new InProcessFheOptions { MaxThreads = threads });
        backend.Prepare([layer], progress: null, TestContext.Current.CancellationToken);
        var result = new float[tokens * 40];
        backend.Multiply(new LayerId("layer", direction), rows, tokens, result);
        return (result, backend.Traffic);
    }

    private static FheLayer Layer()
    {
        var codes = new short[40 * 40];
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = (short)((i * 31 % 255) - 127);
        }

        return new FheLayer(QuantizedLayer.Create("tests", "layer", 8, 40, 40, codes, [.. Enumerable.Repeat(0.01f, 40)]));
    }
}
