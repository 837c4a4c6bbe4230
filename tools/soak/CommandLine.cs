using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LoraFhe.Tools.Soak;

/// <summary>The options, their defaults and their bounds. A wrong argument is one line that names it and says what was expected.</summary>
internal sealed class CommandLine
{
    private static readonly string[] Subjects = ["tiny-austen", "smollm2", "all"];

    private readonly Argument<string> _subject = new("subject")
    {
        Description = "tiny-austen (default): the model that ships. smollm2: SmolLM2-135M-Instruct, needs --models. all: both.",
        HelpName = string.Join('|', Subjects),
        DefaultValueFactory = _ => Subjects[0],
        CustomParser = Subject,
    };

    private readonly Option<string?> _models = new("--models") { HelpName = "DIR", Description = "The folder that .ci/unpack-test-models made." };
    private readonly Option<string> _out = new("--out") { HelpName = "DIR", Description = "Where results go; those that are there are not computed again.", DefaultValueFactory = _ => Path.Combine("out", "soak") };
    private readonly Option<int?> _steps = new("--steps") { HelpName = "N", Description = "The first N steps of each fine-tuning. Default: all that were recorded.", CustomParser = Steps };
    private readonly Option<HybridFheMode[]?> _modes = new("--modes")
    {
        HelpName = "MODE,…",
        Description = "Default: torch,disable,simulate,execute. torch is always run: the others are compared with it.",
        CustomParser = Modes,
    };

    private readonly Option<string?> _docs = new("--docs") { HelpName = "DIR", Description = "Put tables into results.md and plots into images there." };

    /// <summary>Parses the arguments.</summary>
    /// <returns>The options; or null and the exit code: 0 after --help, 2 after a wrong argument.</returns>
    public (SoakOptions? Options, int ExitCode) Parse(string[] arguments, TextWriter error)
    {
        var root = new RootCommand("Repeats fine-tunings that peft recorded, in every mode, and writes how far they are from it: JSON, tables, plots.") { _subject, _models, _out, _steps, _modes, _docs };
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            error.WriteLine(parsed.UnmatchedTokens.Count > 0
                ? $"'{parsed.UnmatchedTokens[0]}' is not an option. Expected one of those that --help lists."
                : Fault(parsed.Errors[0]));
            return (null, 2);
        }

        if (parsed.Action is not null)
        {
            return (null, parsed.Invoke());
        }

        var options = ToOptions(parsed);
        if (Fault(options) is { } fault)
        {
            error.WriteLine(fault);
            return (null, 2);
        }

        return (options, 0);
    }

    private SoakOptions ToOptions(ParseResult parsed)
    {
        var subject = parsed.GetValue(_subject);
        return new SoakOptions
        {
            TinyAusten = subject != "smollm2",
            SmolLm2 = subject != "tiny-austen",
            Models = parsed.GetValue(_models) is { } models ? Path.GetFullPath(models) : null,
            Out = Path.GetFullPath(parsed.GetValue(_out)!),
            Steps = parsed.GetValue(_steps),
            Modes = [HybridFheMode.Torch, .. (parsed.GetValue(_modes) is { Length: > 0 } asked ? asked : Enum.GetValues<HybridFheMode>()).Where(mode => mode != HybridFheMode.Torch).Distinct().Order()],
            Docs = parsed.GetValue(_docs) is { } docs ? Path.GetFullPath(docs) : null,
        };
    }

    private static string Fault(ParseError error) => (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult) switch
    {
        { IdentifierTokenCount: > 1 } result => $"{result.Option.Name} was given {result.IdentifierTokenCount} times. Expected once.",
        { Tokens.Count: 0 } result => $"{result.Option.Name} has no value. Expected {result.Option.Name} {result.Option.HelpName}.",
        _ => error.Message,
    };

    private static string? Fault(SoakOptions options) => options switch
    {
        { SmolLm2: true, Models: null } => "--models is missing. Expected the folder that '.ci/unpack-test-models MODELS_FOLDER OUT' makes.",
        { SmolLm2: true } when !Directory.Exists(Path.Combine(options.Models, "smollm2")) =>
            $"--models '{options.Models}' has no folder 'smollm2'. Expected the folder that '.ci/unpack-test-models MODELS_FOLDER OUT' makes.",
        { Docs: not null } when !File.Exists(Path.Combine(options.Docs, "results.md")) => $"--docs '{options.Docs}' has no results.md. Expected this repository's docs.",
        { Docs: not null, Steps: not null } => "--docs and --steps were both given. Expected whole runs for the docs.",
        _ => File.Exists(options.Out) ? $"--out '{options.Out}' is a file. Expected a folder." : null,
    };

    private static string Subject(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!Subjects.Contains(text))
        {
            result.AddError($"'{text}' is neither a subject nor an option. Expected tiny-austen, smollm2 or all, or an option that --help lists.");
        }

        return text;
    }

    private static int? Steps(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) && steps >= 2)
        {
            return steps;
        }

        result.AddError($"--steps '{text}' was not understood. Expected a whole number from 2.");
        return null;
    }

    private static HybridFheMode[] Modes(ArgumentResult result)
    {
        var modes = new List<HybridFheMode>();
        foreach (var text in result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries))
        {
            if (HybridFheModes.TryParse(text, out var mode))
            {
                modes.Add(mode);
            }
            else
            {
                result.AddError($"--modes '{text}' is not a mode. Expected torch, disable, simulate or execute.");
            }
        }

        return [.. modes];
    }
}
