using System.Globalization;

namespace LoraFhe.Benchmarks;

/// <summary>What the memory command measures.</summary>
internal sealed record MemoryOptions
{
    private const int FewestSteps = 100;

    /// <summary>Steps of the tiny network in each mode.</summary>
    public int Steps { get; init; } = 10_000;

    /// <summary>Reads the arguments; after a wrong one, writes a line that names it and returns null.</summary>
    public static MemoryOptions? Parse(IReadOnlyList<string> arguments, TextWriter error)
    {
        var options = new MemoryOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            if (arguments[i] == "--steps" && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) && steps >= FewestSteps)
            {
                options = options with { Steps = steps };
            }
            else
            {
                error.WriteLine($"'{arguments[i]} {value}' was not understood. Expected --steps N, at least {FewestSteps}.");
                return null;
            }
        }

        return options;
    }
}
