using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Tests.Parity;

/// <summary>A run's recorded log as this project writes it: each difference is a row of docs/parity.md.</summary>
internal sealed partial class RecordedLog
{
    /// <summary>In place of a number that the reference did not log.</summary>
    public const string AnyNumber = "<number>";

    private const string NoEvaluation = "No evaluation data or metric function provided.";
    private const string Magnitude = "Average gradient magnitude: ";
    private readonly List<string> _lines;
    private readonly GoldenJson _config;

    private RecordedLog(GoldenJson run, string folder)
    {
        _config = run["config"];
        _lines = [.. Messages(run["training_log"].AsString).Select(line => line
            .Replace("<TMP>/ckpt", folder, StringComparison.Ordinal)
            .Replace(".pth", ".safetensors", StringComparison.Ordinal))];
    }

    /// <summary>The messages of a run, in order.</summary>
    /// <param name="run">The recorded run.</param>
    /// <param name="folder">Where checkpoints are written now.</param>
    public static IReadOnlyList<string> Expected(GoldenJson run, string folder)
    {
        var log = new RecordedLog(run, folder);
        log.SayOnceThatThereIsNoEvaluation();
        log.ReportNormsAtUpdatesOnly([.. run["optimizer_stepped_after_n_batches"].AsInt32s]);
        return log._lines;
    }

    /// <summary>The messages of a log whose lines begin with time and level.</summary>
    public static IEnumerable<string> Messages(string log) => log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Prefix().Replace(line, ""));

    // Once, when training starts, instead of every eval_steps.
    private void SayOnceThatThereIsNoEvaluation()
    {
        _lines.RemoveAll(line => line == NoEvaluation);
        if (!_config["use_eval"].AsBoolean)
        {
            _lines.Insert(_config["compile"].AsBoolean ? 2 : 1, NoEvaluation);
        }
    }

    // A logged step in the midst of a window has the norms of a partial sum there; here they come with the window's last step.
    private void ReportNormsAtUpdatesOnly(HashSet<int> updates)
    {
        var (logging, steps) = (_config["logging_steps"].AsInt32, updates.Max());
        var openLogged = false;
        for (var step = 1; step <= steps; step++)
        {
            var logged = step % logging == 0;
            if (logged && !updates.Contains(step))
            {
                _lines.RemoveAt(IndexOfStep(step) + 1);
                openLogged = true;
            }
            else if (!logged && updates.Contains(step) && openLogged)
            {
                _lines.Insert(EndOfStep(step), Magnitude + AnyNumber);
            }

            openLogged &= !updates.Contains(step);
        }
    }

    private int IndexOfStep(int step) => _lines.FindIndex(line => line.StartsWith($"Step {step}:", StringComparison.Ordinal));

    // An unlogged step leaves no line: its place is before the next line that is of a later step or of the epoch.
    private int EndOfStep(int step)
    {
        var last = Enumerable.Range(1, step).Reverse().Select(IndexOfStep).First(index => index >= 0);
        return _lines.FindIndex(last + 1, line => StepOrEpoch().IsMatch(line));
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - ")]
    private static partial Regex Prefix();

    [GeneratedRegex("^(Step|Epoch) ")]
    private static partial Regex StepOrEpoch();
}
