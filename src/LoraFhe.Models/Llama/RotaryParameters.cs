namespace LoraFhe.Models;

/// <summary>The rotary position embedding of a Llama, checked: <c>rope_parameters</c>, or the older <c>rope_theta</c> and <c>rope_scaling</c>.</summary>
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
    internal static RotaryParameters Read(JsonSection config)
    {
        // Python's order where a file has both: the older key wins, then the newer one.
        var options = config.Section("rope_scaling") ?? config.Section("rope_parameters");
        var theta = options?.Number("rope_theta", double.Epsilon) ?? config.Number("rope_theta", double.Epsilon) ?? DefaultTheta;
        if (options is not { } section)
        {
            return new RotaryParameters(RotaryType.Default, theta);
        }

        var key = section.Has("rope_type") || !section.Has("type") ? "rope_type" : "type";
        var partial = section.Has("partial_rotary_factor") ? section : config;
        if (partial.Number("partial_rotary_factor", 0) is { } share && share != 1)
        {
            throw partial.Unsupported("partial_rotary_factor", "1");
        }

        return section.Text(key) switch
        {
            null or "default" => new RotaryParameters(RotaryType.Default, theta),
            "linear" => new RotaryParameters(RotaryType.Linear, theta) { Factor = Required(section, "factor", 1) },
            "llama3" => ReadLlama3(section, theta),
            _ => throw section.Unsupported(key, "'default', 'linear', 'llama3'"),
        };
    }

    private static RotaryParameters ReadLlama3(JsonSection section, double theta)
    {
        var low = Required(section, "low_freq_factor", double.Epsilon);
        var high = Required(section, "high_freq_factor", double.Epsilon);
        if (high <= low)
        {
            throw section.Fault("high_freq_factor", FormattableString.Invariant($"more than 'low_freq_factor', {low}"));
        }

        return new RotaryParameters(RotaryType.Llama3, theta)
        {
            Factor = Required(section, "factor", 1),
            LowFrequencyFactor = low,
            HighFrequencyFactor = high,
            OriginalMaxPositionEmbeddings = section.RequiredCount("original_max_position_embeddings"),
        };
    }

    private static double Required(JsonSection section, string key, double least) =>
        section.Number(key, least) ?? throw new InvalidDataException(Errors.KeyMissing(section.File, key));
}
