using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What <c>evalMetricFn</c> may compute: functions of a model and evaluation batches. Each runs in evaluation mode without a graph,
/// and leaves the model as it was.</summary>
/// <remarks>
/// Labels [rows, sequence] are a causal language model's: each position predicts the next. Labels [rows] are classes of logits
/// [rows, classes]. −100 is not compared with. Every label weighs the same, however batches share them out.
/// </remarks>
public static class Metrics
{
    /// <summary>The mean loss of a label, and its exponential.</summary>
    /// <param name="model">The user's model, or the <c>LoraModel</c> around it.</param>
    /// <param name="loader">Batches with labels; they stay the caller's, save those an <see cref="IEpochLoader"/> makes.</param>
    /// <returns><c>eval_loss</c>, the cross entropy in nats, and <c>perplexity</c>; not a number if no label counts.</returns>
    /// <exception cref="ArgumentException">There is no batch, or one has no labels.</exception>
    /// <exception cref="InvalidOperationException">The model returned neither loss nor logits.</exception>
    public static IReadOnlyDictionary<string, double> Perplexity(nn.Module model, IEnumerable<Batch> loader)
    {
        var (sum, targets) = Sum(model, loader, (output, labels, targets) => targets == 0 ? 0.0 : MeanLoss(output, labels) * targets);
        return new Dictionary<string, double> { ["eval_loss"] = sum / targets, ["perplexity"] = Math.Exp(sum / targets) };
    }

    /// <summary>The part of the labels that the largest logit predicts.</summary>
    /// <param name="model">The user's model, or the <c>LoraModel</c> around it; it must return logits.</param>
    /// <param name="loader">Batches with labels; they stay the caller's, save those an <see cref="IEpochLoader"/> makes.</param>
    /// <returns><c>accuracy</c>, 0 to 1; not a number if no label counts.</returns>
    /// <exception cref="ArgumentException">There is no batch, or one has no labels.</exception>
    /// <exception cref="InvalidOperationException">The model returned no logits.</exception>
    public static IReadOnlyDictionary<string, double> Accuracy(nn.Module model, IEnumerable<Batch> loader)
    {
        var (hits, targets) = Sum(model, loader, (output, labels, _) =>
        {
            var (logits, expected) = Align(output, labels);
            return logits.argmax(-1).eq(expected).logical_and(expected.ne(TargetTokens.IgnoreIndex)).sum().item<long>();
        });
        return new Dictionary<string, double> { ["accuracy"] = hits / targets };
    }

    private static (double Sum, double Targets) Sum(
        nn.Module model, IEnumerable<Batch> loader, Func<ModelOutput, Tensor, long, double> measure)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(loader);
        var invoker = new ModelInvoker(model);
        using var evaluation = new EvaluationMode(model);
        var (sum, targets, batches) = (0.0, 0L, 0);
        foreach (var batch in loader)
        {
            using (NewDisposeScope())
            {
                var labels = batch.Labels ?? throw new ArgumentException(Errors.NoLabels, nameof(loader));
                var count = TargetTokens.Count(labels, shifted: true);
                sum += measure(invoker.Invoke(batch), labels, count);
                targets += count;
                batches++;
            }

            if (loader is IEpochLoader)
            {
                batch.Dispose();
            }
        }

        return batches == 0 ? throw new ArgumentException(Errors.EmptyLoader(nameof(loader)), nameof(loader)) : (sum, targets);
    }

    private static double MeanLoss(ModelOutput output, Tensor labels)
    {
        if (output.Loss is { } loss)
        {
            return loss.ToDouble();
        }

        var (logits, expected) = Align(output, labels);
        var rows = logits.reshape(-1, logits.shape[^1]);
        rows = rows.dtype == ScalarType.Float64 ? rows : rows.to(float32);
        return nn.functional.cross_entropy(rows, expected.reshape(-1), ignore_index: TargetTokens.IgnoreIndex).ToDouble();
    }

    private static (Tensor Logits, Tensor Expected) Align(ModelOutput output, Tensor labels)
    {
        var logits = output.Logits ?? throw new InvalidOperationException(Errors.NoLogitsForMetric);
        return labels.dim() < 2
            ? (logits, labels)
            : (logits.narrow(1, 0, Math.Max(logits.shape[1] - 1, 0)), TargetTokens.Shift(labels));
    }
}
