using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>Which tokens the models choose, alone and in padded batches, with and without an end token.</summary>
public sealed class GreedyGenerationTests
{
    [Theory]
    [Recorded("models", "generation")]
    public void Tokens_are_those_of_transformers_with_the_cache(string name) => Generate(name, useCache: true);

    [Theory]
    [Recorded("models", "generation")]
    public void Tokens_are_those_of_transformers_without_the_cache(string name) => Generate(name, useCache: false);

    private static void Generate(string name, bool useCache)
    {
        using var recorded = RecordedModel.Open(name);
        foreach (var one in recorded.Golden.Expected["generation"].Items)
        {
            var tag = one["name"].AsString;
            var inputs = Rows(recorded.Golden.Int64s("io", $"gen.{tag}.input_ids"));
            var masks = Rows(recorded.Golden.Int64s("io", $"gen.{tag}.attention_mask"));
            var options = new GenerationOptions
            {
                MaxNewTokens = one["max_new_tokens"].AsInt32,
                EndOfSequenceIds = one["eos_token_id"].IsNull ? [] : [one["eos_token_id"].AsInt32],
                UseCache = useCache,
            };

            // The reference got the prompts padded on the left, with a mask.
            int[][] prompts = [.. inputs.Zip(masks, (ids, mask) => ids.Where((_, column) => mask[column] == 1).ToArray())];
            var tokens = recorded.Model.Generate(prompts, options, cancellationToken: TestContext.Current.CancellationToken);

            // A text that has ended ends here; the reference goes on with padding until the longest has.
            int[][] padded = [.. tokens.Select(row => Pad(row, tokens.Max(other => other.Length), one["pad_token_id"].AsInt32))];
            Assert.Equal(one["new_tokens"].Items.Select(row => row.AsInt32s), padded);
            Assert.Equal(Rows(recorded.Golden.Int64s("io", $"gen.{tag}.output_ids")), inputs.Zip(padded, (input, added) => input.Concat(added).ToArray()));
        }
    }

    private static int[] Pad(int[] row, int length, int padding) => [.. row, .. Enumerable.Repeat(padding, length - row.Length)];

    private static int[][] Rows(GoldenTensor<long> tensor) => [.. tensor.Values.Select(value => (int)value).Chunk((int)tensor.Shape[1])];
}
