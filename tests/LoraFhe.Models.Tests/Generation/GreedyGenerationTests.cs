namespace LoraFhe.Models.Tests;

public sealed class GreedyGenerationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> All => LlamaCase.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Tokens_are_those_of_the_reference_with_and_without_the_cache(string name)
    {
        using var recorded = LlamaCase.Open(name);
        var compared = 0;
        foreach (var one in recorded.Golden.Expected["generation"].Items)
        {
            var prompts = Prompts(recorded, one["name"].AsString);
            var expected = one["new_tokens"].Items.Select(row => row.AsInt32s).ToArray();
            int[] ends = one["eos_token_id"].IsNull ? [] : [one["eos_token_id"].AsInt32];
            foreach (var useCache in new[] { true, false })
            {
                var most = one["max_new_tokens"].AsInt32;
                var options = new GenerationOptions { MaxNewTokens = most, EndOfSequenceIds = ends, UseCache = useCache };

                var actual = recorded.Model.Generate(prompts, options, cancellationToken: Cancellation);

                Assert.Equal(expected.Select(row => Trim(row, ends)), actual);
                compared++;
            }
        }

        Assert.True(compared >= 2);
    }

    // Left padding out of the prompts: the reference got them padded, with a mask.
    private static int[][] Prompts(LlamaCase recorded, string name)
    {
        var ids = recorded.Golden.Int64s("io", $"gen.{name}.input_ids");
        var mask = recorded.Golden.Int64s("io", $"gen.{name}.attention_mask");
        var length = (int)ids.Shape[1];
        return [.. Enumerable.Range(0, (int)ids.Shape[0]).Select(row => Enumerable.Range(row * length, length)
            .Where(i => mask.Values[i] == 1).Select(i => (int)ids.Values[i]).ToArray())];
    }

    // The reference fills ended rows with padding; ours end.
    private static int[] Trim(int[] row, int[] ends)
    {
        var end = Array.FindIndex(row, ends.Contains);
        return end < 0 ? row : row[..(end + 1)];
    }
}
