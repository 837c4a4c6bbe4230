using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class FeatureBlocksTests
{
    [Fact]
    public void Wire_indices_are_a_permutation_of_all_words() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[1, 20]).Sample((features, tokens) =>
        {
            var indices = from feature in Enumerable.Range(0, features)
                          from token in Enumerable.Range(0, tokens)
                          select FeatureBlocks.WireIndex(feature, token, features, tokens);
            Assert.Equal(Enumerable.Range(0, features * tokens).Select(i => (long)i), indices.Order());
        });

    [Fact]
    public void Both_forms_agree_where_16_divides_the_features() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 20], Gen.Int[0, 79], Gen.Int[0, 19]).Sample((blocks, tokens, feature, token) =>
        {
            (feature, token) = (feature % (16 * blocks), token % tokens);
            Assert.Equal(FeatureBlocks.PaddedIndex(feature, token, tokens), FeatureBlocks.WireIndex(feature, token, 16 * blocks, tokens));
        });

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(16, 1, 16)]
    [InlineData(17, 2, 1)]
    [InlineData(31, 2, 15)]
    [InlineData(int.MaxValue, 1 << 27, 15)]
    public void Blocks_and_the_last_ones_width_are_counted(int features, int blocks, int last)
    {
        Assert.Equal(blocks, FeatureBlocks.Count(features));
        Assert.Equal(last, FeatureBlocks.LastWidth(features));
    }

    [Fact]
    public void Sizes_are_64_bit()
    {
        Assert.Equal((long)int.MaxValue * int.MaxValue, FeatureBlocks.WireWords(int.MaxValue, int.MaxValue));
        Assert.Equal((1L << 31) * int.MaxValue, FeatureBlocks.PaddedWords(int.MaxValue, int.MaxValue));
    }
}
