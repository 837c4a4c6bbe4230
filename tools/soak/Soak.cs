using LoraFhe.Fixtures;
using LoraFhe.Samples.FineTuneText;
using LoraFhe.Tools.Pages;

namespace LoraFhe.Tools.Soak;

/// <summary>Compares the subjects with what was recorded of them, shows and writes what came out, and judges it.</summary>
internal static class Soak
{
    /// <returns>Whether everything is as near to the recorded as it should be.</returns>
    public static bool Run(SoakOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var holds = true;
        if (options.TinyAusten)
        {
            using var subject = Subject.TinyAusten();
            holds &= Run(subject, options, output, cancellationToken);
        }

        if (options.SmolLm2)
        {
            using var subject = Subject.SmolLm2(options.Models!);
            holds &= Run(subject, options, output, cancellationToken);
        }

        return holds;
    }

    private static bool Run(Subject subject, SoakOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        output.WriteLine($"{subject.Title}");
        var folder = new ResultFolder(options.Out, subject.Name);
        var model = folder.Get<ModelResult>("model", _ => true, () => ModelResult.Of(subject.Model, cancellationToken));
        output.WriteLine($"  the model: {model.EqualTexts} of {model.Texts} texts equal");
        var modes = Modes(subject.Run, options, folder, output, cancellationToken);
        var comparison = new Comparison(subject, model, modes);
        Write(comparison, options, folder, output);
        return Judge(comparison, output);
    }

    private static List<ModeResult> Modes(RecordedRun run, SoakOptions options, ResultFolder folder, TextWriter output, CancellationToken cancellationToken)
    {
        var steps = Math.Min(options.Steps ?? int.MaxValue, run.Losses.Count);
        using var hints = new TemporaryFolder();
        return options.Modes.Select(mode =>
        {
            var name = mode.ToPythonName();
            var progress = new ProgressLines(output, name);
            return folder.Get<ModeResult>(
                name,
                known => known.Losses.Count == steps,
                () => ModeRun.Of(run, mode, steps, hints.Path, progress.Tell, cancellationToken));
        }).ToList();
    }

    private static void Write(Comparison comparison, SoakOptions options, ResultFolder folder, TextWriter output)
    {
        var name = comparison.Subject.Name;
        var tables = Tables.Of(comparison);
        var plot = LossPlot.Svg(comparison);
        WholeFile.Write(folder.At("tables.md"), tables);
        WholeFile.Write(folder.At("losses.svg"), plot);
        if (options.Docs is { } docs)
        {
            MarkedPage.Replace(Path.Combine(docs, "results.md"), name, tables);
            Directory.CreateDirectory(Path.Combine(docs, "images"));
            WholeFile.Write(Path.Combine(docs, "images", name + "-losses.svg"), plot);
        }

        output.WriteLine();
        output.WriteLine(tables);
        output.WriteLine($"Written to {folder.At("")}");
    }

    private static bool Judge(Comparison comparison, TextWriter output)
    {
        var faults = comparison.Faults().ToList();
        faults.ForEach(fault => output.WriteLine($"DOES NOT HOLD: {fault}"));
        return faults.Count == 0;
    }
}
