namespace LoraFhe.Benchmarks;

/// <summary>Growth as Markdown.</summary>
internal static class GrowthTables
{
    // Below this, what a call costs however small it is shows.
    private const int Large = 256;

    public static void Write(GrowthReport report, TextWriter output)
    {
        output.WriteLine($"{report.Cpu}, {report.Threads} thread(s); our kernel: {report.Kernel}. Medians, encrypted and clear in turn.");
        output.WriteLine();
        Points($"Layer {report.ByTokens[0].Inputs}→{report.ByTokens[0].Outputs}, time against tokens n", "n", report.ByTokens, point => point.Tokens, output);
        Points($"Square layers, {report.ByWidth[0].Tokens} tokens, time against width d", "d", report.ByWidth, point => point.Inputs, output);
        Depths(report, output);
        Predictions(report, output);
    }

    private static void Points(string title, string name, IReadOnlyList<GrowthPoint> points, Func<GrowthPoint, double> at, TextWriter output)
    {
        output.WriteLine($"{title}:");
        output.WriteLine();
        output.WriteLine($"| {name} | torch ms | server ms | encrypt ms | decrypt ms | torch GMAC/s | server GMAC/s | ns a number encrypted | decrypted | client's part of whole |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var point in points)
        {
            output.WriteLine($"| {at(point)} | {point.Torch:F2} | {point.Server:F2} | {point.Encrypt:F2} | {point.Decrypt:F2} | {point.TorchGmacs:F0} | {point.ServerGmacs:F0} | {point.EncryptNanoseconds:F1} | {point.DecryptNanoseconds:F1} | {point.Client / point.Whole:P0} |");
        }

        var large = points.Where(point => at(point) >= Large).ToList();
        string Power(Func<GrowthPoint, double> value) => $"{Line.Power([.. large.Select(at)], [.. large.Select(value)]):F2}";
        output.WriteLine($"| power of {name}, from {Large} on | {Power(p => p.Torch)} | {Power(p => p.Server)} | {Power(p => p.Encrypt)} | {Power(p => p.Decrypt)} | | | | | |");
        output.WriteLine();
    }

    private static void Depths(GrowthReport report, TextWriter output)
    {
        output.WriteLine($"A model with SmolLM2-135M's widths, {report.Check.Tokens} tokens a step, time against layers:");
        output.WriteLine();
        output.WriteLine("| layers | torch s | execute s | execute over torch | calls | MiB up | MiB down |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var point in report.ByLayers)
        {
            output.WriteLine($"| {point.Layers} | {point.Torch:F2} | {point.Execute:F2} | {point.Execute / point.Torch:F2} | {point.Traffic.Calls:F0} | {Mebibytes(point.Traffic.BytesUp)} | {Mebibytes(point.Traffic.BytesDown)} |");
        }

        var check = report.Check;
        output.WriteLine($"| {report.ByLayers[^1].Layers}, predicted from the others | {check.Torch:F2} | {check.Execute:F2} | {check.Execute / check.Torch:F2} | {check.Calls} | {Mebibytes(check.BytesUp)} | {Mebibytes(check.BytesDown)} |");
        output.WriteLine();
        output.WriteLine($"Of that step in execute: the server {check.ServerSeconds / check.Execute:P0}, the client {check.ClientSeconds / check.Execute:P0}, the clear rest {check.ClearSeconds / check.Execute:P0}.");
        output.WriteLine();
    }

    private static void Predictions(GrowthReport report, TextWriter output)
    {
        var constants = report.Constants;
        output.WriteLine($"What a step of larger models costs on this machine, from products of their widths and {constants.LogitNanoseconds:F1} ns a logit and {constants.ElementNanoseconds:F1} ns a number of the clear rest, as in the steps above; memory allowing:");
        output.WriteLine();
        output.WriteLine("| model | tokens | torch s | execute s | over torch | server s | client s | clear s | hints GB | server's weights GB | MB up | MB down |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var step in report.Predictions)
        {
            output.WriteLine($"| {step.Model} | {step.Tokens} | {step.Torch:F1} | {step.Execute:F1} | {step.Execute / step.Torch:F2} | {step.ServerSeconds:F1} | {step.ClientSeconds:F1} | {step.ClearSeconds:F1} | {step.HintBytes / 1e9:F1} | {step.WeightBytes / 1e9:F1} | {step.BytesUp / 1e6:F0} | {step.BytesDown / 1e6:F0} |");
        }

        output.WriteLine();
    }

    private static string Mebibytes(double bytes) => $"{bytes / 1048576:F0}";
}
