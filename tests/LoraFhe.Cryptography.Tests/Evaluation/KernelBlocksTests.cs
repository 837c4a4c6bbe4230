using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class KernelBlocksTests
{
    [Fact]
    public void Blocks_cover_all_inputs_and_no_sum_in_one_exceeds_the_bound() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 2000], Gen.Int[8, 12], Gen.Bool, Gen.Bool, Gen.ULong).Sample(
            (outputs, inputs, bits, forward, extreme, seed) =>
            {
                var direction = forward ? LayerDirection.Forward : LayerDirection.Backward;
                var layer = TestLayers.Make(forward ? outputs : inputs, forward ? inputs : outputs, bits, seed, extreme);
                var starts = KernelBlocks.Cut(layer, direction);
                Assert.Equal(0, starts[0]);
                Assert.Equal(FeatureBlocks.Count(inputs) * 16, starts[^1]);
                for (var b = 0; b + 1 < starts.Length; b++)
                {
                    Assert.Equal(0, starts[b] % 16);
                    Assert.InRange(starts[b + 1] - starts[b], 16, KernelBlocks.MaxFeatures);
                    for (var o = 0; o < outputs; o++)
                    {
                        var sum = 0L;
                        for (var i = starts[b]; i < Math.Min(starts[b + 1], inputs); i++)
                        {
                            sum += Math.Abs(layer.Code(direction, o, i));
                        }

                        Assert.InRange(sum, 0, KernelBlocks.MaxAbsoluteSum);
                    }
                }
            },
            iter: 40);

    [Fact]
    public void Blocks_are_of_equal_length_where_the_weights_allow()
    {
        var layer = QuantizedLayer.Create("m", "l", 8, 1, 1600, new short[1600], [1]);
        Assert.Equal([0, 544, 1088, 1600], KernelBlocks.Cut(layer, LayerDirection.Forward));
    }

    [Fact]
    public void The_bound_is_what_the_recombination_needs()
    {
        const long bound = KernelBlocks.MaxAbsoluteSum;
        Assert.True(bound * 32768 < EncryptedLinearParameters.Modulus);
        Assert.True(bound / 2 * Modular.PowerOfTwoExcess < EncryptedLinearParameters.Modulus);
        Assert.True(16 * 2047 <= bound);
    }
}
