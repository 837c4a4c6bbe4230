using LoraFhe.Cryptography;
using LoraFhe.Samples.FineTuneText;
using TorchSharp;

namespace LoraFhe.Benchmarks;

/// <summary>Times an encrypted layer against a clear one, pair by pair, so that a machine whose speed drifts drifts for both.</summary>
internal static class Ratios
{
    private const int FewestPairs = 7;

    // From here on the bars of many tokens hold.
    private const int ManyTokens = 256;

    // The first five are those of the bars; the last two are SmolLM2-135M's.
    private static readonly (int Inputs, int Outputs, bool InMean)[] Shapes =
    [
        (768, 768, true), (768, 3072, true), (3072, 768, true), (2048, 8192, true), (4096, 4096, true), (576, 1536, false), (1536, 576, false),
    ];

    public static RatioReport Run(RatioOptions options, TextWriter output)
    {
        LibTorch.EnsureSupported();
        using var publicMatrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), Shapes.Max(s => s.Inputs));
        var rows = new List<RatioRow>();
        output.WriteLine($"{Processor.Name}; our kernel: {LinearEvaluator.KernelName}, {VectorUnits.Description}. Ratios to libtorch float32 linear of the same shape and threads: median (10–90 % of pairs).");
        output.WriteLine();
        output.WriteLine("| layer | n | threads | torch GMAC/s | server | whole | client |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var threads in options.Threads)
        {
            torch.set_num_threads(threads);
            foreach (var tokens in options.Tokens)
            {
                foreach (var (inputs, outputs, _) in Shapes)
                {
                    var row = Measure(inputs, outputs, tokens, threads, publicMatrix, options);
                    rows.Add(row);
                    output.WriteLine($"| {inputs}→{outputs} | {tokens} | {threads} | {row.TorchGmacs:F0} | {Text(row.Server)} | {Text(row.Whole)} | {Text(row.Client)} |");
                }
            }
        }

        return Summarize(rows, options, output);
    }

    private static RatioRow Measure(int inputs, int outputs, int tokens, int threads, PublicMatrix publicMatrix, RatioOptions options)
    {
        using var layer = new LayerUnderTest(inputs, outputs, tokens, threads, options.Bits, publicMatrix);
        var pairs = layer.Pairs(options.Seconds, FewestPairs);
        var clear = Spread.Of(pairs.Select(p => p.Clear)).Median;
        return new RatioRow(
            inputs, outputs, tokens, threads, clear * 1e3, (double)inputs * outputs * tokens / clear / 1e9,
            Spread.Of(pairs.Select(p => p.Server / p.Clear)),
            Spread.Of(pairs.Select(p => p.Whole / p.Clear)),
            Spread.Of(pairs.Select(p => p.Client / p.Clear)));
    }

    // The means of the last row are those that the bars speak of first: all threads, the most tokens.
    private static RatioReport Summarize(List<RatioRow> rows, RatioOptions options, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Means of the first five:");
        output.WriteLine();
        output.WriteLine("| n | threads | torch GMAC/s | server | bar | whole | bar |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        var (meanWhole, meanServer, gmacs) = (double.NaN, double.NaN, double.NaN);
        foreach (var threads in options.Threads)
        {
            foreach (var tokens in options.Tokens)
            {
                var counted = rows.Where(r => r.Threads == threads && r.Tokens == tokens && Shapes.Any(s => s.InMean && s.Inputs == r.Inputs && s.Outputs == r.Outputs)).ToList();
                (meanWhole, meanServer, gmacs) = (counted.Average(r => r.Whole.Median), counted.Average(r => r.Server.Median), counted.Average(r => r.TorchGmacs));
                var server = tokens >= ManyTokens ? Bar.Server.Verdict(meanServer, VectorUnits.AreFull512) : "";
                var whole = (tokens >= ManyTokens ? Bar.Whole : Bar.WholeOfFewTokens).Verdict(meanWhole, VectorUnits.AreFull512);
                output.WriteLine($"| {tokens} | {threads} | {gmacs:F0} | {meanServer:F2} | {server} | {meanWhole:F2} | {whole} |");
            }
        }

        return new RatioReport(Processor.Name, VectorUnits.Bits, LinearEvaluator.KernelName, gmacs, meanWhole, meanServer, rows);
    }

    private static string Text(Spread spread) => $"{spread.Median:F2} ({spread.Low:F2}–{spread.High:F2})";
}
