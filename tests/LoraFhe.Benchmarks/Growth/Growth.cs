using LoraFhe.Cryptography;
using LoraFhe.Samples.FineTuneText;
using TorchSharp;

namespace LoraFhe.Benchmarks;

/// <summary>Measures how time grows with tokens, width and layers, and what follows for models that are too large to measure.</summary>
internal static class Growth
{
    public const int FewestTokens = 64;
    public const int LeastWidth = 256;
    public static readonly IReadOnlyList<int> Depths = [1, 2, 4, 8];
    private const int Tokens = 512;
    private const int Batch = 4;
    private const int FewestPairs = 3;
    private const long LargestCache = 100L << 20;
    private static readonly int[] PredictedTokens = [512, 2048];

    public static GrowthReport Run(GrowthOptions options, TextWriter output)
    {
        LibTorch.EnsureSupported();
        torch.set_num_threads(options.Threads);

        // Whole steps first: they run in processes of their own, beside which this one should hold nothing.
        var shape = TransformerShape.SmolLm2(options.Layers);
        IReadOnlyList<DepthPoint> depths = [.. Depths.Append(options.Layers).Select(layers => Depth(layers, options))];
        var byTokens = Doubled(FewestTokens, options.Largest.Tokens).Select(tokens => Point(768, 3072, tokens, options)).ToList();
        var byWidth = Doubled(LeastWidth, options.Largest.Width).Select(width => Point(width, width, Tokens, options)).ToList();
        var constants = StepConstants.Of(shape, Tokens, [.. depths.SkipLast(1)], Widest(shape, options));
        var report = new GrowthReport
        {
            Cpu = Processor.Name,
            Kernel = LinearEvaluator.KernelName,
            Threads = options.Threads,
            ByTokens = byTokens,
            ByWidth = byWidth,
            ByLayers = depths,
            Constants = constants,
            Check = StepPrediction.Of(shape, Tokens, constants),
            Predictions = [.. new[] { TransformerShape.Llama1B, TransformerShape.Llama8B }.SelectMany(large => Predict(large, constants, options))],
        };
        GrowthTables.Write(report, output);
        return report;
    }

    private static IEnumerable<int> Doubled(int first, int last)
    {
        for (var number = first; number <= last; number *= 2)
        {
            yield return number;
        }
    }

    private static IEnumerable<StepPrediction> Predict(TransformerShape shape, StepConstants constants, GrowthOptions options)
    {
        var atItsWidths = constants.At(Widest(shape, options));
        return PredictedTokens.Select(tokens => StepPrediction.Of(shape, tokens, atItsWidths));
    }

    // In a model no layer finds its weights and hint in a cache: as many layers in turn as fill more than any has.
    private static GrowthPoint Widest(TransformerShape shape, GrowthOptions options)
    {
        var hint = HintMaker.HintWords(shape.Inner) * sizeof(uint);
        return Point(shape.Hidden, shape.Inner, Tokens, options, layers: 1 + (int)(LargestCache / hint));
    }

    private static GrowthPoint Point(int inputs, int outputs, int tokens, GrowthOptions options, int layers = 1)
    {
        using var matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), inputs);
        var all = new List<LayerUnderTest>();
        try
        {
            for (var i = 0; i < layers; i++)
            {
                all.Add(new LayerUnderTest(inputs, outputs, tokens, options.Threads, EncryptedLinearParameters.MinBits, matrix));
            }

            return GrowthPoint.Of(inputs, outputs, tokens, LayerUnderTest.PairsInTurn(all, options.Seconds, FewestPairs));
        }
        finally
        {
            all.ForEach(layer => layer.Dispose());
        }
    }

    private static DepthPoint Depth(int layers, GrowthOptions options)
    {
        var model = StepModel.All.First(known => known.Name == "smollm2").WithLayers(layers);
        var run = StepChild.RunPairs(
            new StepPlan(model, Batch, Tokens, options.Threads, 3 * options.Seconds, [StepReport.Torch, StepReport.Execute]), TorchSetting.AsItComes);
        return new DepthPoint(layers, run.Seconds(StepReport.Torch).Median, run.Seconds(StepReport.Execute).Median, run.Traffic);
    }
}
