using LoraFhe.Tools.Pages;

namespace LoraFhe.Benchmarks;

/// <summary>Time against tokens, width and layers: each frame has to its right what time should be linear in.</summary>
internal static class GrowthPlot
{
    private const string Torch = "stroke=\"#1f77b4\" stroke-width=\"2\"";
    private const string Server = "stroke=\"#2ca02c\" stroke-width=\"2\" stroke-dasharray=\"8 5\"";
    private const string Client = "stroke=\"#9467bd\" stroke-width=\"2\" stroke-dasharray=\"2 5\"";
    private const string Execute = "stroke=\"#d62728\" stroke-width=\"2\"";

    public static string Svg(GrowthReport report)
    {
        var picture = new Picture(860, 920, $"Time and size, {report.Threads} thread(s), kernel {report.Kernel}");
        var tokens = Curves(report.ByTokens, point => point.Tokens);
        picture.Legend(tokens);
        picture.Frame(64, 220, "ms", tokens);
        picture.Caption(318, $"tokens; layer {report.ByTokens[0].Inputs}→{report.ByTokens[0].Outputs}");
        picture.Frame(350, 220, "ms", Curves(report.ByWidth, point => (double)point.Inputs * point.Outputs / 1e6));
        picture.Caption(604, $"weights of a square layer in millions; {report.ByWidth[0].Tokens} tokens, up to {report.ByWidth[^1].Inputs}→{report.ByWidth[^1].Outputs}");
        picture.Frame(636, 220, "s a step", Steps(report.ByLayers));
        picture.Caption(890, "layers of a model with SmolLM2-135M's widths");
        return picture.ToString();
    }

    private static Curve[] Curves(IReadOnlyList<GrowthPoint> points, Func<GrowthPoint, double> at)
    {
        Curve Of(string label, Func<GrowthPoint, double> value, string style) => new(label, [.. points.Select(value)], style) { At = [.. points.Select(at)] };
        return
        [
            Of("libtorch float32", point => point.Torch, Torch), Of("server", point => point.Server, Server),
            Of("client", point => point.Client, Client), Of("whole, encrypted", point => point.Whole, Execute),
        ];
    }

    private static Curve[] Steps(IReadOnlyList<DepthPoint> points)
    {
        Curve Of(string label, Func<DepthPoint, double> value, string style) => new(label, [.. points.Select(value)], style) { At = [.. points.Select(point => (double)point.Layers)] };
        return [Of("torch mode", point => point.Torch, Torch), Of("execute", point => point.Execute, Execute)];
    }
}
