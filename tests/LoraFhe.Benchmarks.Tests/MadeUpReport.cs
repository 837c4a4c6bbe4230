namespace LoraFhe.Benchmarks.Tests;

/// <summary>A report of growth whose numbers follow known laws.</summary>
internal static class MadeUpReport
{
    public const double TorchGmacs = 50;
    public const double ElementNanoseconds = 40;
    public const double LogitNanoseconds = 2;
    public const int Tokens = 512;

    public static readonly TransformerShape Shape = TransformerShape.SmolLm2(30);

    public static GrowthPoint Point(int inputs, int outputs, int tokens)
    {
        var products = (double)inputs * outputs * tokens / 1e6;
        return new GrowthPoint(inputs, outputs, tokens, products / TorchGmacs, products / 60, 2e-6 * inputs * tokens, 1e-6 * outputs * tokens);
    }

    public static DepthPoint Depth(int layers)
    {
        var shape = Shape with { Layers = layers };
        var torch = Tokens * (((shape.HeadMultiplyAdds + (2 * shape.Weights)) / TorchGmacs) + (LogitNanoseconds * shape.Vocabulary) + (ElementNanoseconds * shape.Elements)) / 1e9;
        return new DepthPoint(layers, torch, 1.5 * torch, new StepTraffic(shape.Calls, 1 << 20, 2 << 20, 0, 0.02));
    }

    public static GrowthReport Create()
    {
        var constants = StepConstants.Of(Shape, Tokens, [.. Growth.Depths.Select(Depth)], Point(576, 1536, Tokens));
        return new GrowthReport
        {
            Cpu = "some processor",
            Kernel = "Avx2",
            Threads = 2,
            ByTokens = [.. new[] { 64, 128, 256, 512 }.Select(tokens => Point(768, 3072, tokens))],
            ByWidth = [.. new[] { 256, 512, 1024 }.Select(width => Point(width, width, Tokens))],
            ByLayers = [.. Growth.Depths.Append(30).Select(Depth)],
            Constants = constants,
            Check = StepPrediction.Of(Shape, Tokens, constants),
            Predictions = [StepPrediction.Of(TransformerShape.Llama8B, 2048, constants)],
        };
    }
}
