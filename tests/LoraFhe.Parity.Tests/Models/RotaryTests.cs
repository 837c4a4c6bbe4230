using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>The rotary position embedding, from either style of configuration.</summary>
public sealed class RotaryTests
{
    [Theory]
    [Recorded("models", "rope")]
    public void Frequencies_are_those_of_transformers(string name)
    {
        using var golden = Fixtures.Golden.Open("models/" + name);
        var expected = golden.Expected["rope"];
        var config = LlamaConfig.Load(golden.Folder);

        var actual = config.Rotary.Frequencies(config.HeadDim);

        // Doubles to the last few bits, so to all bits of the single precision that transformers computes them in.
        Assert.Equal(expected["head_dim"].AsInt32, config.HeadDim);
        Assert.Equal(expected["inv_freq_float64"].AsDoubles.Length, actual.Length);
        Assert.All(expected["inv_freq_float64"].AsDoubles.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-15));
        Assert.All(expected["inv_freq_float32"].AsDoubles.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
        Assert.Equal(1.0, expected["attention_scaling"].AsDouble);
    }

    [Theory]
    [Recorded("models", "rope")]
    public void Options_are_read_as_transformers_reads_them(string name)
    {
        using var golden = Fixtures.Golden.Open("models/" + name);
        var expected = golden.Expected["rope"]["rope_parameters_as_loaded"];

        var rotary = LlamaConfig.Load(golden.Folder).Rotary;

        foreach (var (key, value) in expected.Members)
        {
            object actual = key switch
            {
                "rope_type" or "type" => rotary.Type.ToString().ToLowerInvariant(),
                "rope_theta" => rotary.Theta,
                "factor" => rotary.Factor,
                "low_freq_factor" => rotary.LowFrequencyFactor,
                "high_freq_factor" => rotary.HighFrequencyFactor,
                "original_max_position_embeddings" => (double)rotary.OriginalMaxPositionEmbeddings,
                _ => throw new NotSupportedException(key),
            };
            Assert.Equal(actual is string ? value.AsString : value.AsDouble, actual);
        }
    }
}
