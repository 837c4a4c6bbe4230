using System.Globalization;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>A run is taken up with the options it was started with; none need be typed again, and none may differ but --steps, which may grow:
/// the learning rate is constant, so more steps are the same run, only longer.</summary>
internal static class ResumedOptions
{
    private static readonly (string Name, Func<RunOptions, IFormattable?> Value)[] Numbers =
    [
        ("--epochs", o => o.Epochs), ("--steps", o => o.Steps), ("--rank", o => o.Rank), ("--alpha", o => o.Alpha), ("--lr", o => o.LearningRate),
        ("--batch", o => o.Batch), ("--length", o => o.Length), ("--bits", o => o.Bits), ("--seed", o => o.Seed),
    ];

    private static readonly (string Name, Func<RunOptions, string> Value)[] Texts =
    [
        ("--model", o => o.Model), ("--data", o => o.Data), ("--fhe", o => o.Mode.ToPythonName()), ("--targets", o => o.Targets),
        ("--pack", o => o.Pack ? "on" : "off"), ("--quick", o => o.Quick ? "on" : "off"),
    ];

    /// <summary>The options to go on with.</summary>
    /// <param name="given">Those of this command.</param>
    /// <param name="started">Those the run was started with.</param>
    /// <param name="isGiven">Whether an option, by its name, was typed.</param>
    /// <exception cref="WrongArgumentException">One was typed that differs.</exception>
    public static RunOptions Of(RunOptions given, RunOptions started, Func<string, bool> isGiven)
    {
        var steps = isGiven("--steps") && given.Steps > started.Steps ? given.Steps : started.Steps;
        started = started with { Steps = steps };
        foreach (var (name, value) in Texts.Concat(Numbers.Select(n => (n.Name, TextOf(n.Value)))).Where(v => isGiven(v.Name)))
        {
            if (value(given) != value(started))
            {
                var with = value(started) is { Length: > 0 } text ? $"with {text}. Expected the same{(name == "--steps" ? ", more" : "")}, or no {name}." : $"without. Expected no {name}.";
                throw new WrongArgumentException($"{name} is {value(given)}; the run that --resume takes up was started {with}");
            }
        }

        return started with { Resume = true, Out = given.Out, Report = given.Report, Record = given.Record };
    }

    private static Func<RunOptions, string> TextOf(Func<RunOptions, IFormattable?> number) =>
        options => number(options)?.ToString(null, CultureInfo.InvariantCulture) ?? "";
}
