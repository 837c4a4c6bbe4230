namespace LoraFhe.Models;

/// <summary>The rotary position embedding of a Llama, checked: <c>rope_parameters</c>, or the older <c>rope_theta</c> and
/// <c>rope_scaling</c>.</summary>
public sealed class RotaryParameters
{
    private const double DefaultTheta = 10000;

    private RotaryParameters(RotaryType type, double theta) => (Type, Theta) = (type, theta);

    /// <summary>The scaling rule.</summary>
    public RotaryType Type { get; }

    /// <summary>The base θ: pair i of a head of width d turns by θ^(−2i/d) a position.</summary>
    public double Theta { get; }

    /// <summary>The factor by which texts may be longer; 1 where nothing is scaled.</summary>
    public double Factor { get; private init; } = 1;

    /// <summary>Waves longer than <see cref="OriginalMaxPositionEmbeddings"/> over this are divided by the factor (Llama 3 only).</summary>
    public double LowFrequencyFactor { get; private init; } = 1;

    /// <summary>Waves shorter than <see cref="OriginalMaxPositionEmbeddings"/> over this stay as they are (Llama 3 only).</summary>
    public double HighFrequencyFactor { get; private init; } = 1;

    /// <summary>The context length that the model was trained with before it was scaled (Llama 3 only, otherwise 0).</summary>
    public int OriginalMaxPositionEmbeddings { get; private init; }

    /// <summary>The angle by which each pair of a head's values turns from one position to the next.</summary>
    /// <param name="headDim">Width of a head, even.</param>
    /// <returns><paramref name="headDim"/> / 2 angles in radians.</returns>
    internal double[] Frequencies(int headDim)
    {
        var frequencies = new double[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = Scale(Math.Pow(Theta, -2.0 * i / headDim));
        }

        return frequencies;
    }

    private double Scale(double frequency)
    {
        if (Type != RotaryType.Llama3)
        {
            return frequency / Factor;
        }

        // Waves per original context; the blend is linear in it between the two factors.
        var waves = OriginalMaxPositionEmbeddings * frequency / (2 * Math.PI);
        var kept = Math.Clamp((waves - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0, 1);
        return ((1 - kept) * frequency / Factor) + (kept * frequency);
    }

    /// <summary>Reads the keys of either style from a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">A key is missing or faulty, or the rule is one that is not known here.</exception>
    internal static RotaryParameters Read(NamedJson config)
    {
        // Python's order where a file has both: the older key wins, then the newer one.
        CheckWhole(config);
        var theta = ReadTheta(config, DefaultTheta);
        if (!config.TryGetValue("rope_scaling", out var options) && !config.TryGetValue("rope_parameters", out options))
        {
            return new RotaryParameters(RotaryType.Default, theta);
        }

        CheckWhole(options);
        theta = ReadTheta(options, theta);
        if (!options.TryGetValue("rope_type", out var type) && !options.TryGetValue("type", out type))
        {
            return new RotaryParameters(RotaryType.Default, theta);
        }

        return type.Text switch
        {
            "default" => new RotaryParameters(RotaryType.Default, theta),
            "linear" => new RotaryParameters(RotaryType.Linear, theta) { Factor = ReadFactor(options) },
            "llama3" => ReadLlama3(options, theta),
            _ => throw type.Unsupported("'default', 'linear' and 'llama3' are"),
        };
    }

    private static double ReadTheta(NamedJson json, double otherwise) =>
        json.NumberOr("rope_theta", theta => theta > 0, "a number above 0", otherwise);

    private static double ReadFactor(NamedJson options) => options["factor"].Number(factor => factor >= 1, "a number from 1");

    // Some architectures turn only a part of each head.
    private static void CheckWhole(NamedJson json)
    {
        if (json.TryGetValue("partial_rotary_factor", out var share) && share.Number(_ => true, "a number") != 1)
        {
            throw share.Unsupported("only 1 is");
        }
    }

    private static RotaryParameters ReadLlama3(NamedJson options, double theta)
    {
        var low = options["low_freq_factor"].Number(value => value > 0, "a number above 0");
        return new RotaryParameters(RotaryType.Llama3, theta)
        {
            Factor = ReadFactor(options),
            LowFrequencyFactor = low,
            HighFrequencyFactor = options["high_freq_factor"].Number(value => value > low, $"a number above 'low_freq_factor'"),
            OriginalMaxPositionEmbeddings = options["original_max_position_embeddings"].Count,
        };
    }
}
