using System.Globalization;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>A run's recorded log as this project writes it: each difference is a row of docs/parity.md.</summary>
internal sealed partial class RecordedLog
{
    /// <summary>In place of a number that the reference did not log, or not without its stray gradients.</summary>
    public const string AnyNumber = "<number>";

    /// <summary>In place of a metric that is not recorded without stray gradients.</summary>
    public const string AnyMetric = "<metric>";

    private const string NoEvaluation = "No evaluation data or metric function provided.";
    private const string Magnitude = "Average gradient magnitude: ";
    private readonly List<string> _lines;
    private readonly GoldenJson _run;
    private readonly GoldenJson _config;
    private readonly HashSet<int> _updates;

    private RecordedLog(GoldenJson run, string folder)
    {
        (_run, _config, _updates) = (run, run["config"], [.. run["optimizer_stepped_after_n_batches"].AsInt32s]);
        _lines = [.. Messages(run["training_log"].AsString).Select(line => line
            .Replace("<TMP>", folder, StringComparison.Ordinal)
            .Replace(".pth", ".safetensors", StringComparison.Ordinal))];
    }

    /// <summary>The messages of a run, in order.</summary>
    /// <param name="run">The recorded run.</param>
    /// <param name="folder">Where the run's files are now.</param>
    public static IReadOnlyList<string> Expected(GoldenJson run, string folder)
    {
        var log = new RecordedLog(run, folder);
        log.TakeStrayGradientsOut();
        log.SayOnceThatThereIsNoEvaluation();
        log.ReportNormsAtUpdatesOnly();
        return log._lines;
    }

    /// <summary>The messages of a log whose lines begin with time and level.</summary>
    public static IEnumerable<string> Messages(string log) => log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Prefix().Replace(line, ""));

    private void TakeStrayGradientsOut()
    {
        RewriteNorms();
        if (StrayGradients.ClipIn(_run))
        {
            RewriteLosses(StrayGradients.Losses(_run));
        }
    }

    // Where there are none, this writes what is there.
    private void RewriteNorms()
    {
        var (logging, free) = (_config["logging_steps"].AsInt32, StrayGradients.FreeBatches(_run));
        var norms = StrayGradients.Norms(_run).Select(entry => entry.Norms).ToList();
        var logged = 0;
        for (var i = 0; i < _lines.Count; i++)
        {
            if (_lines[i].StartsWith(Magnitude, StringComparison.Ordinal))
            {
                _lines[i] = Magnitude + ((logged + 1) * logging <= free ? Text(norms.Average(entry => entry[logged])) : AnyNumber);
                logged++;
            }
        }
    }

    private void RewriteLosses(double[] losses)
    {
        var (length, free) = (_config["n_train_batches"].AsInt32, StrayGradients.FreeBatches(_run));
        double Average(int last) => losses[((last - 1) / length * length)..last].Average();
        for (var i = 0; i < _lines.Count; i++)
        {
            var count = Counted().Match(_lines[i]) is { Success: true } match ? int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture) : 0;
            _lines[i] = _lines[i].Split(' ')[0] switch
            {
                "Step" => $"Step {count}: loss={Text(losses[count - 1])}, avg_loss={Text(Average(count))}",
                "Epoch" => Number().Replace(_lines[i], Text(Average(count * length))),
                "Training" => Number().Replace(_lines[i], Text(Average(losses.Length))),
                "[Evaluation" when count > free => EvaluationLoss().Replace(_lines[i], AnyMetric),
                _ => _lines[i],
            };
        }
    }

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
    private void ReportNormsAtUpdatesOnly()
    {
        var (logging, steps) = (_config["logging_steps"].AsInt32, _updates.Max());
        var openLogged = false;
        for (var step = 1; step <= steps; step++)
        {
            var logged = step % logging == 0;
            if (logged && !_updates.Contains(step))
            {
                _lines.RemoveAt(IndexOfStep(step) + 1);
                openLogged = true;
            }
            else if (!logged && _updates.Contains(step) && openLogged)
            {
                _lines.Insert(EndOfStep(step), Magnitude + AnyNumber);
            }

            openLogged &= !_updates.Contains(step);
        }
    }

    private int IndexOfStep(int step) => _lines.FindIndex(line => line.StartsWith($"Step {step}:", StringComparison.Ordinal));

    // An unlogged step leaves no line: its place is before the next line that is of a later step or of the epoch.
    private int EndOfStep(int step)
    {
        var last = Enumerable.Range(1, step).Reverse().Select(IndexOfStep).First(index => index >= 0);
        return _lines.FindIndex(last + 1, line => StepOrEpoch().IsMatch(line));
    }

    private static string Text(double number) => number.ToString("F6", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - ")]
    private static partial Regex Prefix();

    [GeneratedRegex("^(Step|Epoch) ")]
    private static partial Regex StepOrEpoch();

    [GeneratedRegex(@"^(Step|Epoch|\[Evaluation at step) (?<count>\d+)")]
    private static partial Regex Counted();

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"(?<=eval_loss: )\d+\.\d+")]
    private static partial Regex EvaluationLoss();
}
