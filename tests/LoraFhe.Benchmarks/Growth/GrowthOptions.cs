using System.Globalization;

namespace LoraFhe.Benchmarks;

/// <summary>What the growth command measures.</summary>
internal sealed record GrowthOptions
{
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Time given to each point.</summary>
    public double Seconds { get; init; } = 1;

    /// <summary>The largest number of tokens, and the largest width, of the series.</summary>
    public (int Tokens, int Width) Largest { get; init; } = (2048, 8192);

    /// <summary>Layers of the model that the prediction is checked with: all of SmolLM2-135M's.</summary>
    public int Layers { get; init; } = 30;

    /// <summary>Reads the arguments; after a wrong one, writes a line that names it and returns null.</summary>
    public static GrowthOptions? Parse(IReadOnlyList<string> arguments, TextWriter error)
    {
        var options = new GrowthOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1_000_000;
            var next = arguments[i] switch
            {
                "--threads" when isNumber => options with { Threads = number },
                "--layers" when isNumber && number > Growth.Depths[^1] => options with { Layers = number },
                "--largest-tokens" when isNumber && number >= 2 * Growth.FewestTokens => options with { Largest = options.Largest with { Tokens = number } },
                "--largest-width" when isNumber && number >= 2 * Growth.LeastWidth => options with { Largest = options.Largest with { Width = number } },
                "--seconds" when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < double.PositiveInfinity => options with { Seconds = seconds },
                _ => null,
            };
            if (next is null)
            {
                error.WriteLine($"'{arguments[i]} {value}' was not understood. Expected --threads N, --seconds X, --layers N above {Growth.Depths[^1]}, --largest-tokens N from {2 * Growth.FewestTokens} or --largest-width N from {2 * Growth.LeastWidth}.");
                return null;
            }

            options = next;
        }

        return options;
    }
}
