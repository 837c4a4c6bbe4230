using CsCheck;

namespace LoraFhe.Models.Tests;

public sealed class TokenSamplerTests
{
    private static readonly Gen<(float[] Logits, double Temperature, int TopK, double TopP, int Seed)> Cases =
        Gen.Select(Gen.Float[-8, 8].Array[2, 40], Gen.Double[0.05, 5], Gen.Int[0, 45], Gen.Double[0.01, 1], Gen.Int);

    [Fact]
    public void Without_a_temperature_the_first_of_the_likeliest_is_taken() =>
        Assert.Equal(1, new TokenSampler(new GenerationOptions(), 0, 4).Choose([0f, 3f, 3f, -1f], []));

    [Fact]
    public void Tokens_are_drawn_as_often_as_their_softmax_says()
    {
        const int Draws = 20000;
        float[] logits = [1.0f, -0.5f, 2.0f, 0.0f, 0.7f];
        var options = new GenerationOptions { Temperature = 1.5, Seed = 1 };

        var counts = Count(options, logits, Draws);

        // Chi-squared with 4 degrees of freedom exceeds 23.5 in one of 10,000 runs; the seed is fixed.
        var weights = logits.Select(l => Math.Exp(l / 1.5)).ToArray();
        var expected = weights.Select(w => Draws * w / weights.Sum());
        var statistic = expected.Zip(counts, (e, c) => (c - e) * (c - e) / e).Sum();
        TestContext.Current.TestOutputHelper?.WriteLine($"chi-squared {statistic:F2}, bound 23.5");
        Assert.True(statistic < 23.5, $"chi-squared {statistic}");
    }

    [Fact]
    public void Top_k_draws_the_likeliest_and_those_equal_to_the_last_of_them()
    {
        var counts = Count(new GenerationOptions { Temperature = 1, TopK = 2 }, [1f, 2f, 1f, 0.9f], 2000);

        Assert.All(counts[..3], count => Assert.True(count > 0));
        Assert.Equal(0, counts[3]);
    }

    [Fact]
    public void Top_p_draws_the_fewest_that_reach_it()
    {
        // Probabilities 0.5, 0.3, 0.15, 0.05.
        float[] logits = [MathF.Log(0.15f), MathF.Log(0.5f), MathF.Log(0.05f), MathF.Log(0.3f)];

        Assert.Equal([1], Drawn(0.49));
        Assert.Equal([1, 3], Drawn(0.6));
        Assert.Equal([0, 1, 3], Drawn(0.85));
        Assert.Equal([0, 1, 2, 3], Drawn(1));

        IEnumerable<int> Drawn(double topP) => Count(new GenerationOptions { Temperature = 1, TopP = topP }, logits, 2000)
            .Select((count, id) => (count, id)).Where(p => p.count > 0).Select(p => p.id);
    }

    [Fact]
    public void A_penalty_divides_positive_logits_of_the_text_and_multiplies_negative_ones_once()
    {
        float[] logits = [2f, -2f, 2f, 1f];

        new TokenSampler(new GenerationOptions { RepetitionPenalty = 2 }, 0, 4).Choose(logits, [0, 0, 1]);

        Assert.Equal([1f, -4f, 2f, 1f], logits);
    }

    [Fact]
    public void Whatever_the_options_a_token_is_of_the_kept_ones() =>
        Cases.Sample((logits, temperature, topK, topP, seed) =>
        {
            var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, Seed = seed };

            var id = new TokenSampler(options, 0, logits.Length).Choose([.. logits], []);

            var better = logits.Where(l => l > logits[id]).ToArray();
            var weights = logits.OrderDescending().Select(l => Math.Exp((l - logits.Max()) / temperature)).ToArray();
            var k = topK == 0 ? logits.Length : Math.Min(topK, logits.Length);
            Assert.True(better.Length < k);
            Assert.True(topP == 1 || weights[..better.Length].Sum() <= topP * weights.Sum() * (1 + 1e-9));
        });

    [Fact]
    public void Rows_draw_from_streams_of_their_own()
    {
        var logits = new float[1000];
        var options = new GenerationOptions { Temperature = 1 };

        Assert.NotEqual(new TokenSampler(options, 0, 1000).Choose(logits, []), new TokenSampler(options, 1, 1000).Choose(logits, []));
    }

    private static int[] Count(GenerationOptions options, float[] logits, int draws)
    {
        var sampler = new TokenSampler(options, 0, logits.Length);
        var counts = new int[logits.Length];
        for (var i = 0; i < draws; i++)
        {
            counts[sampler.Choose([.. logits], [])]++;
        }

        return counts;
    }
}
