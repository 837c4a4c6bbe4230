using System.Globalization;

namespace LoraFhe.Benchmarks;

/// <summary>What the step command measures.</summary>
internal sealed record StepOptions
{
    /// <summary>What can be asked for: modes in turn, the same over a server on the loopback interface, the best settings for torch, memory.</summary>
    public static readonly IReadOnlyList<string> Parts = ["pairs", "loopback", "settings", "memory"];

    private const string Expected =
        "Expected --models tiny,gpt2,smollm2, --model FOLDER, --what pairs,loopback,settings,memory, --tokens N (a multiple of --batch N), --threads N,N, --layers N or --seconds X.";

    public IReadOnlyList<StepModel> Models { get; init; } = StepModel.All;

    public IReadOnlyList<string> What { get; init; } = Parts;

    /// <summary>Texts a step.</summary>
    public int Batch { get; init; } = 4;

    /// <summary>Tokens a step, all texts together.</summary>
    public int Tokens { get; init; } = 512;

    public IReadOnlyList<int> Threads { get; init; } = [Environment.ProcessorCount];

    /// <summary>Layers that models with random weights are cut to; null: all of them.</summary>
    public int? Layers { get; init; }

    /// <summary>Time given to the rounds of one model.</summary>
    public double Seconds { get; init; } = 12;

    /// <summary>Reads the arguments; after a wrong one, writes a line that names it and returns null.</summary>
    public static StepOptions? Parse(IReadOnlyList<string> arguments, TextWriter error)
    {
        var options = new StepOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            if (With(options, arguments[i], value) is not { } next)
            {
                error.WriteLine($"'{arguments[i]} {value}' was not understood. {Expected}");
                return null;
            }

            options = next;
        }

        if (options.Tokens % options.Batch != 0)
        {
            error.WriteLine($"--tokens {options.Tokens} is no multiple of --batch {options.Batch}. {Expected}");
            return null;
        }

        return options.Layers is { } layers
            ? options with { Models = [.. options.Models.Select(model => model.Config is null ? model : model.WithLayers(layers))] }
            : options;
    }

    private static StepOptions? With(StepOptions options, string name, string value) => name switch
    {
        "--models" when Chosen(value, StepModel.All, model => model.Name) is { } models => options with { Models = models },
        "--model" when File.Exists(Path.Combine(value, "config.json")) => options with { Models = [StepModel.Of(Path.GetFullPath(value))] },
        "--what" when Chosen(value, Parts, part => part) is { } parts => options with { What = parts },
        "--batch" when Numbers(value) is [var batch] => options with { Batch = batch },
        "--tokens" when Numbers(value) is [var tokens] => options with { Tokens = tokens },
        "--threads" when Numbers(value) is { } threads => options with { Threads = threads },
        "--layers" when Numbers(value) is [var layers] => options with { Layers = layers },
        "--seconds" when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < double.PositiveInfinity => options with { Seconds = seconds },
        _ => null,
    };

    private static List<T>? Chosen<T>(string text, IReadOnlyList<T> all, Func<T, string> name)
    {
        var chosen = text.Split(',').Select(part => all.FirstOrDefault(one => name(one) == part)).ToList();
        return chosen.TrueForAll(one => one is not null) ? chosen.ConvertAll(one => one!) : null;
    }

    private static List<int>? Numbers(string text)
    {
        var numbers = text.Split(',').Select(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).ToList();
        return numbers.TrueForAll(n => n is > 0 and <= 1_000_000) ? numbers : null;
    }
}
