using System.Globalization;

namespace LoraFhe.Samples.LoraMlp;

/// <summary>What the command line can change.</summary>
/// <param name="Mode">How the frozen layers are computed during tuning.</param>
/// <param name="Epochs">Epochs of tuning.</param>
/// <param name="Seed">Seed of data, weights and order; never of the encryption.</param>
internal sealed record Options(HybridFheMode Mode = HybridFheMode.Execute, int Epochs = 10, int Seed = 1)
{
    public const string Help = """
        Pretrains a small network on two circles, then tunes it with LoRA on two others, its frozen layers under encryption.

          --fhe torch|disable|simulate|execute   How the frozen layers are computed during tuning. Default: execute.
          --epochs N                             Epochs of tuning, 1 to 10000. Default: 10.
          --seed N                               Seed of data, weights and order. Default: 1.
          --help                                 This text.
        """;

    /// <summary>Reads the arguments.</summary>
    /// <returns>The options, or a line that names the argument that is wrong and says what was expected.</returns>
    public static (Options? Options, string? Fault) Parse(string[] arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var (name, value) = (arguments[i], i + 1 < arguments.Length ? arguments[i + 1] : null);
            switch (name)
            {
                case "--fhe" or "--epochs" or "--seed" when value is null:
                    return (null, $"{name} has no value. See --help.");
                case "--fhe" when HybridFheModes.TryParse(value, out var mode):
                    options = options with { Mode = mode };
                    break;
                case "--fhe":
                    return (null, $"--fhe '{value}' is not a mode. Expected torch, disable, simulate or execute.");
                case "--epochs" when Number(value) is >= 1 and <= 10_000 and var epochs:
                    options = options with { Epochs = epochs };
                    break;
                case "--seed" when Number(value) is { } seed:
                    options = options with { Seed = seed };
                    break;
                case "--epochs" or "--seed":
                    var range = name == "--epochs" ? "1 to 10000" : "0 to 2147483647";
                    return (null, $"{name} '{value}' was not understood. Expected a whole number from {range}.");
                default:
                    return (null, $"'{name}' is not an option. Expected one of those that --help lists.");
            }
        }

        return (options, null);
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
