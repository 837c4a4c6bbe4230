using System.Globalization;

namespace LoraFhe.Benchmarks;

/// <summary>What the ratios command measures.</summary>
internal sealed record RatioOptions
{
    public IReadOnlyList<int> Tokens { get; init; } = [64, 512];
    public IReadOnlyList<int> Threads { get; init; } = Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount];

    /// <summary>Time given to the pairs of one row.</summary>
    public double Seconds { get; init; } = 2;

    /// <summary>Bits of a weight.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>Reads the arguments; after a wrong one, writes a line that names it and returns null.</summary>
    public static RatioOptions? Parse(IReadOnlyList<string> arguments, TextWriter error)
    {
        var options = new RatioOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            var next = arguments[i] switch
            {
                "--tokens" when Numbers(value) is { } tokens => options with { Tokens = tokens },
                "--threads" when Numbers(value) is { } threads => options with { Threads = threads },
                "--seconds" when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < double.PositiveInfinity => options with { Seconds = seconds },
                "--bits" when Numbers(value) is [>= 8 and <= 12 and var bits] => options with { Bits = bits },
                _ => null,
            };
            if (next is null)
            {
                error.WriteLine($"'{arguments[i]} {value}' was not understood. Expected --tokens N,N, --threads N,N, --seconds X or --bits 8 to 12.");
                return null;
            }

            options = next;
        }

        return options;
    }

    private static List<int>? Numbers(string text)
    {
        var numbers = text.Split(',').Select(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).ToList();
        return numbers.All(n => n is > 0 and <= 1_000_000) ? numbers : null;
    }
}
