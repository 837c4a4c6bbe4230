using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The options, their defaults and their bounds. A wrong argument is one line that names it and says what was expected.</summary>
internal sealed class CommandLine
{
    private const int QuickSteps = 6;
    private const int UsualSteps = 150;
    private static readonly string ShippedModel = Path.Combine(AppContext.BaseDirectory, "models", "tiny-austen");
    private static readonly string ShippedText = Path.Combine(AppContext.BaseDirectory, "models", "text", "kjv-proverbs.txt");

    // A default that --help should not print as it is, a long path for one, is told in the description and put in afterwards.
    private readonly Option<string?> _model = Text("--model", "DIR", "Hugging Face folder of a Llama or GPT-2. Default: tiny-austen, which ships.");
    private readonly Option<string?> _data = Text(
        "--data", "FILE", "The private text: .txt (lines) or .jsonl (a 'text' each line). Default: Proverbs, which ships.");

    private readonly Option<HybridFheMode?> _mode = new("--fhe")
    {
        HelpName = "torch|disable|simulate|execute",
        Description = "How the frozen layers are computed. Default: execute, under encryption.",
        CustomParser = result => ParseMode(result),
    };

    private readonly Option<int?> _steps = new("--steps")
    {
        HelpName = "N",
        Description = $"Training steps. Default: {UsualSteps}.",
        CustomParser = result => WholeNumber(result, 1, 1_000_000),
    };

    private readonly Option<int?> _epochs = new("--epochs")
    {
        HelpName = "N",
        Description = "Passes over the text, instead of --steps.",
        CustomParser = result => WholeNumber(result, 1, 10_000),
    };

    private readonly Option<int> _rank = Whole("--rank", "Rank of the adapters.", 8, 1, 1024);
    private readonly Option<double> _alpha = Real("--alpha", "LoRA's alpha: adapters count alpha/rank.", 16, 1e-6, 1e6);
    private readonly Option<string?> _targets = Text(
        "--targets", "NAMES", "Layers to adapt: all-linear, or names such as q_proj,v_proj.", "all-linear");

    private readonly Option<double> _learningRate = Real("--lr", "Learning rate of AdamW.", 3e-3, 1e-9, 10);
    private readonly Option<int> _batch = Whole("--batch", "Sequences a step.", 4, 1, 4096);
    private readonly Option<int> _length = Whole("--length", "Tokens a sequence.", 128, 2, 131072);
    private readonly Option<bool> _pack = new("--pack") { Description = "Pack short rows of a .jsonl into sequences of --length: less padding to encrypt." };
    private readonly Option<int> _bits = Whole("--bits", "Bits of a frozen weight.", 8, 8, 12);
    private readonly Option<int> _seed = Whole("--seed", "Seed of adapters, order and sampling; never of the encryption.", 1, 0, int.MaxValue);
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on with the run in --out, with the options it was started with." };
    private readonly Option<bool> _quick = new("--quick") { Description = $"A look: {QuickSteps} steps and a short evaluation." };
    private readonly Option<string?> _out = Text("--out", "DIR", "Where adapter, plot, log and checkpoints go.", "out");
    private readonly Option<string?> _report = Text("--report", "FILE", "Write the figures as JSON.");
    private readonly Option<string?> _record = Text(
        "--record", "DIR", "Write all that crosses in the first step, with its spent secrets, for tools/replay.");

    /// <summary>Parses the arguments.</summary>
    /// <returns>The options; or, where there is nothing to run, null and the exit code: 0 after --help, 2 after a wrong argument.</returns>
    /// <exception cref="WrongArgumentException">An argument does not fit what --resume takes up.</exception>
    /// <exception cref="IOException">There is nothing for --resume to take up.</exception>
    public (RunOptions? Options, int ExitCode) Parse(string[] arguments, TextWriter error)
    {
        var root = new RootCommand("Fine-tunes a language model with LoRA on a private text that the half holding the model only ever sees encrypted.");
        foreach (var option in new Option[]
        {
            _model, _data, _mode, _epochs, _steps, _rank, _alpha, _targets, _learningRate, _batch, _length, _pack, _bits, _seed, _resume, _quick, _out, _report, _record,
        })
        {
            root.Options.Add(option);
        }

        // '@file' is no way to give options here: it would be read, and what is wrong in it told without its name.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is not null)
        {
            return (null, parsed.Errors.Count > 0 ? Fail(error, parsed) : parsed.Invoke());
        }

        if (parsed.Errors.Count > 0)
        {
            return (null, Fail(error, parsed));
        }

        var options = ToOptions(parsed);
        if (Fault(options) is { } fault)
        {
            error.WriteLine(fault);
            return (null, 2);
        }

        return (options.Resume ? Resumed(options, parsed) : options, 0);
    }

    private static RunOptions Resumed(RunOptions options, ParseResult parsed)
    {
        var started = RunFolder.ReadState(options.Out).Options;
        var resumed = ResumedOptions.Of(options, started, name => parsed.GetResult(name) is OptionResult { Implicit: false });
        return Fault(resumed) is { } fault ? throw new WrongArgumentException(fault) : resumed;
    }

    private static int Fail(TextWriter error, ParseResult parsed)
    {
        error.WriteLine(parsed.UnmatchedTokens.Count > 0
            ? $"'{parsed.UnmatchedTokens[0]}' is not an option. Expected one of those that --help lists."
            : Fault(parsed.Errors[0]));
        return 2;
    }

    private static string Fault(ParseError error)
    {
        var option = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        return option switch
        {
            { IdentifierTokenCount: > 1 } => $"{option.Option.Name} was given {option.IdentifierTokenCount} times. Expected once.",
            { Tokens.Count: 0 } => $"{option.Option.Name} has no value. Expected {option.Option.Name} {option.Option.HelpName}.",
            _ => error.Message,
        };
    }

    private RunOptions ToOptions(ParseResult parsed)
    {
        var quick = parsed.GetValue(_quick);
        return new RunOptions
        {
            Model = Path.GetFullPath(parsed.GetValue(_model) ?? ShippedModel),
            Data = Path.GetFullPath(parsed.GetValue(_data) ?? ShippedText),
            Mode = parsed.GetValue(_mode) ?? HybridFheMode.Execute,
            Steps = parsed.GetValue(_steps) ?? (parsed.GetValue(_epochs) is null ? quick ? QuickSteps : UsualSteps : null),
            Epochs = parsed.GetValue(_epochs),
            Rank = parsed.GetValue(_rank),
            Alpha = parsed.GetValue(_alpha),
            Targets = parsed.GetValue(_targets)!,
            LearningRate = parsed.GetValue(_learningRate),
            Batch = parsed.GetValue(_batch),
            Length = parsed.GetValue(_length),
            Pack = parsed.GetValue(_pack),
            Bits = parsed.GetValue(_bits),
            Seed = parsed.GetValue(_seed),
            Resume = parsed.GetValue(_resume),
            Quick = quick,
            Out = Path.GetFullPath(parsed.GetValue(_out)!),
            Report = parsed.GetValue(_report) is { } report ? Path.GetFullPath(report) : null,
            Record = parsed.GetValue(_record) is { } record ? Path.GetFullPath(record) : null,
        };
    }

    private static string? Fault(RunOptions options)
    {
        if (!Directory.Exists(options.Model))
        {
            return $"--model '{options.Model}' is not a folder. Expected a Hugging Face folder: config.json, *.safetensors, and tokenizer.json or vocab.json with merges.txt.";
        }

        if (!File.Exists(options.Data))
        {
            return $"--data '{options.Data}' is not a file. Expected a .txt or .jsonl file.";
        }

        if (options.Pack && !PrivateText.HasRows(options.Data))
        {
            return $"--pack was given with --data '{options.Data}'. Expected a .jsonl file: other text is cut into full sequences anyway.";
        }

        if (options is { Epochs: not null, Steps: not null })
        {
            return "--epochs and --steps were both given. Expected one of them.";
        }

        if (options.Targets.Split(',').Any(string.IsNullOrWhiteSpace))
        {
            return $"--targets '{options.Targets}' has an empty name. Expected all-linear, or names such as q_proj,v_proj.";
        }

        if (File.Exists(options.Out) || File.Exists(options.Record))
        {
            return File.Exists(options.Out)
                ? $"--out '{options.Out}' is a file. Expected a folder."
                : $"--record '{options.Record}' is a file. Expected a new folder.";
        }

        if (Directory.Exists(options.Report))
        {
            return $"--report '{options.Report}' is a folder. Expected a file.";
        }

        return options.Record is not null && options.Mode != HybridFheMode.Execute
            ? $"--record was given with --fhe {options.Mode.ToPythonName()}. Expected --fhe execute: nothing crosses in other modes."
            : null;
    }

    private static HybridFheMode? ParseMode(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (HybridFheModes.TryParse(text, out var mode))
        {
            return mode;
        }

        result.AddError($"--fhe '{text}' is not a mode. Expected torch, disable, simulate or execute.");
        return null;
    }

    private static Option<string?> Text(string name, string help, string description, string? value = null)
    {
        var option = new Option<string?>(name) { HelpName = help, Description = description, CustomParser = NotEmpty };
        if (value is not null)
        {
            option.DefaultValueFactory = _ => value;
        }

        return option;
    }

    private static string? NotEmpty(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (string.IsNullOrWhiteSpace(text) && result.Parent is OptionResult { Option: var option })
        {
            result.AddError($"{option.Name} '{text}' is empty. Expected {option.Name} {option.HelpName}.");
        }

        return text;
    }

    private static Option<int> Whole(string name, string description, int value, int least, int most) => new(name)
    {
        HelpName = "N",
        Description = description,
        DefaultValueFactory = _ => value,
        CustomParser = result => WholeNumber(result, least, most) ?? value,
    };

    private static Option<double> Real(string name, string description, double value, double least, double most) => new(name)
    {
        HelpName = "X",
        Description = description,
        DefaultValueFactory = _ => value,
        CustomParser = result => Number(result, least, most) ?? value,
    };

    private static int? WholeNumber(ArgumentResult result, int least, int most)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{NameOf(result)} '{text}' was not understood. Expected a whole number from {least} to {most}."));
        return null;
    }

    private static double? Number(ArgumentResult result, double least, double most)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{NameOf(result)} '{text}' was not understood. Expected a number from {least} to {most}."));
        return null;
    }

    private static string NameOf(ArgumentResult result) => result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}
