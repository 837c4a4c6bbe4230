using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using TorchSharp;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>How far the rounding of a gradient to single precision moves what AdamW makes of it.</summary>
/// <remarks>
/// AdamW's first update of an element is rate · g / (|g| + 1e-8): the gradient's size does not count, so that where it nearly cancels, its rounding does. A gradient in
/// single precision is off by about 2⁻²⁴ of the largest of its tensor, which moves the element by rate · 2⁻²⁴ · max|g| / |g|. With more updates its own history counts, and
/// nothing is left of this. For nearly all elements it is below 1e-8. Gradients are taken from the run in double precision.
/// </remarks>
internal static class AdamWRounding
{
    private const double UnitRoundoff = 1.0 / (1 << 24);
    private const string FirstLineOfAnUpdate = "Average gradient magnitude";

    /// <summary>What to allow each element of the adapters, by the names of the model's parameters.</summary>
    /// <param name="name">A run of a language model: <c>llama/torch_skip3_adamw_full</c>.</param>
    public static IReadOnlyDictionary<string, double[]> Of(string name)
    {
        using var run = new RecordedRun(name, torch.ScalarType.Float64);
        var allowed = run.Model.named_parameters().Where(entry => entry.parameter.requires_grad)
            .ToDictionary(entry => entry.name, entry => new double[entry.parameter.numel()]);
        var logger = new RecordingLogger
        {
            Watch = line =>
            {
                if (line.StartsWith(FirstLineOfAnUpdate, StringComparison.Ordinal))
                {
                    AddFirstUpdates(run, allowed);
                }
            },
        };
        using var trainer = run.Trainer(checkpointDir: null, logger, loggingSteps: 1);
        trainer.Train(run.TrainBatches, run.Epochs, run.Mode, cancellationToken: Cancellation.Token);
        return allowed;
    }

    private static void AddFirstUpdates(RecordedRun run, Dictionary<string, double[]> allowed)
    {
        var rate = run.Optimizer.ParamGroups.Single().LearningRate;
        foreach (var (name, parameter) in run.Model.named_parameters().Where(entry => entry.parameter.requires_grad))
        {
            var gradient = parameter.grad!.data<double>().ToArray();
            var rounding = UnitRoundoff * gradient.Max(Math.Abs);
            for (var i = 0; i < gradient.Length; i++)
            {
                if (allowed[name][i] == 0 && gradient[i] != 0)
                {
                    allowed[name][i] = Math.Max(double.Epsilon, rate * Math.Min(2, rounding / Math.Abs(gradient[i])));
                }
            }
        }
    }
}
