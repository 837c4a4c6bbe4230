using System.Globalization;
using System.Text;

namespace LoraFhe.Tools.Soak;

/// <summary>A comparison as Markdown, in the form that docs/results.md shows.</summary>
internal static class Tables
{
    public static string Of(Comparison comparison)
    {
        var text = new StringBuilder();
        Model(comparison.Model, text);
        Modes(comparison, text);
        return text.ToString();
    }

    private static void Model(ModelResult model, StringBuilder text)
    {
        Line(text, $"Greedy texts: {model.EqualTexts} of {model.Texts} equal, token for token ({model.Tokens} tokens). Largest absolute differences from the recorded tensors:");
        Line(text, $"");
        Line(text, $"| tensor | positions | largest difference |");
        Line(text, $"|---|---|---|");
        foreach (var difference in model.Differences)
        {
            Line(text, $"| `{difference.Name}` | {difference.Positions} | {difference.Largest:0.0E+0} |");
        }

        Line(text, $"");
        if (model.Perplexities.Count > 0)
        {
            Line(text, $"| text | tokens | perplexity recorded | ours | sum of losses, ours − recorded |");
            Line(text, $"|---|---|---|---|---|");
            foreach (var pair in model.Perplexities)
            {
                Line(text, $"| {pair.Text} | {pair.Tokens} | {pair.Recorded:F4} | {pair.Ours:F4} | {pair.LossSumDifference:+0.0000;-0.0000} |");
            }

            Line(text, $"");
        }
    }

    private static void Modes(Comparison comparison, StringBuilder text)
    {
        var (run, torch, recorded) = (comparison.Subject.Run, comparison.Torch, comparison.Recorded);
        Line(text, $"The fine-tuning, {recorded.Count} steps of {run.BatchSize} × {run.Length} tokens. |a − b| is the mean over the steps of the absolute difference of two losses, with the largest in parentheses.");
        Line(text, $"");
        Line(text, $"| | recorded, peft | {string.Join(" | ", comparison.Modes.Select(mode => mode.Mode.ToPythonName()))} |");
        Line(text, $"|---|---|{string.Concat(comparison.Modes.Select(_ => "---|"))}");
        Row(text, comparison, "loss, first step", $"{recorded[0]:F5}", mode => $"{mode.Losses[0]:F5}");
        Row(text, comparison, "loss, last step", $"{recorded[^1]:F5}", mode => $"{mode.Losses[^1]:F5}");
        Row(text, comparison, "\\|loss − recorded\\|", "", mode => $"{mode.MeanDistance(recorded):0.0E+0} ({mode.LargestDistance(recorded):0.0E+0})");
        Row(text, comparison, "\\|loss − torch\\|", "", mode => mode == torch ? "" : $"{mode.MeanDistance(torch.Losses):0.0E+0} ({mode.LargestDistance(torch.Losses):0.0E+0})");
        Row(text, comparison, "gradient norm, first step", $"{run.FirstGradientNorm:F5}", mode => $"{mode.FirstGradientNorm:F5}");
        Row(text, comparison, "held-out perplexity before", $"{run.Before.Perplexity:F4}", mode => $"{mode.PerplexityBefore:F4}");
        Row(text, comparison, "equal texts before", $"{run.Before.Texts.Count}", mode => $"{mode.EqualTextsBefore} of {run.Before.Texts.Count}");
        if (comparison.IsWhole)
        {
            Row(text, comparison, "held-out perplexity after", $"{run.After.Perplexity:F4}", mode => $"{mode.PerplexityAfter:F4}");
            Row(text, comparison, "equal texts after", $"{run.After.Texts.Count}", mode => $"{mode.EqualTextsAfter} of {run.After.Texts.Count}");
        }

        Row(text, comparison, "seconds a step, median", "", mode => $"{mode.StepSeconds:F2}");
        Row(text, comparison, "seconds over torch", "", mode => mode == torch ? "" : $"× {mode.StepSeconds / torch.StepSeconds:F2}");
        Row(text, comparison, "processor seconds a step, mean", "", mode => $"{mode.StepProcessorSeconds:F2}");
        Row(text, comparison, "processor seconds over torch", "", mode => mode == torch ? "" : $"× {mode.StepProcessorSeconds / torch.StepProcessorSeconds:F2}");
        Line(text, $"");
        if (comparison.Of(HybridFheMode.Execute) is { } execute && comparison.Of(HybridFheMode.Disable) is { } disable)
        {
            Line(text, $"Execute is {execute.MeanDistance(torch.Losses) / disable.MeanDistance(torch.Losses):F3} times as far from torch as disable is (mean distance); from disable itself it is {execute.MeanDistance(disable.Losses):0.0E+0} away.");
        }

        Line(text, $"{torch.Processor}, {torch.Threads} threads, kernel {torch.Kernel}. Quantizing the frozen layers and making their hints, once: {comparison.Modes.Max(mode => mode.PrepareSeconds):F0} s.");
    }

    private static void Row(StringBuilder text, Comparison comparison, string name, string recorded, Func<ModeResult, string> cell) =>
        Line(text, $"| {name} | {recorded} | {string.Join(" | ", comparison.Modes.Select(cell))} |");

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
