using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The micro batches that share one update, and what their losses are divided by.</summary>
/// <remarks>
/// A micro batch's loss must be divided before its backward pass, when the window's length may not be known yet. What is still owed then
/// is one factor on the summed gradient, which <see cref="Close"/> returns; for a full window it is exactly 1.
/// </remarks>
internal sealed class AccumulationWindow(TrainingArguments arguments)
{
    private long _targets;
    private double _divisor;
    private double _loss;
    private int _logged;

    /// <summary>Micro batches in the window.</summary>
    public int Count { get; private set; }

    public bool IsFull => Count >= arguments.GradientAccumulationSteps;

    private bool CountsTokens => arguments.LossScaling is LossScaling.Tokens or LossScaling.TokensUnshifted;

    /// <summary>Takes a micro batch in.</summary>
    /// <returns>What its mean loss is to be divided by.</returns>
    /// <exception cref="ArgumentException">Tokens are to be counted, and the batch has no labels or none that counts.</exception>
    public double Add(Batch batch)
    {
        if (!CountsTokens)
        {
            Count++;
            return _divisor = arguments.GradientAccumulationSteps;
        }

        var labels = batch.Labels ?? throw new ArgumentException(Errors.NoLabels, nameof(batch));
        var targets = Targets(labels, shifted: true);
        Count++;
        _targets += arguments.LossScaling == LossScaling.Tokens ? targets : Targets(labels, shifted: false);

        // The mean over the loss's own targets becomes their sum; the window's count divides it in Close.
        return _divisor = 1.0 / targets;
    }

    /// <summary>Takes in the loss of the micro batch that was added last.</summary>
    public void AddLoss(double loss) => _loss += loss / _divisor;

    /// <summary>Counts a micro batch that was logged: each gets an entry in the gradient statistics.</summary>
    public void CountLogged() => _logged++;

    /// <summary>Ends the window and begins the next.</summary>
    public ClosedWindow Close()
    {
        var factor = arguments.LossScaling switch
        {
            LossScaling.Window => (double)arguments.GradientAccumulationSteps / Count,
            LossScaling.Full => 1.0,
            _ => 1.0 / _targets,
        };
        var closed = new ClosedWindow(factor, _loss * factor, _logged);
        Reset();
        return closed;
    }

    /// <summary>Forgets the micro batches taken in.</summary>
    public void Reset() => (Count, _logged, _targets, _loss) = (0, 0, 0, 0);

    private static long Targets(Tensor labels, bool shifted)
    {
        var count = TargetTokens.Count(labels, shifted);
        return count > 0 ? count : throw new ArgumentException(Errors.NoTargets, nameof(labels));
    }
}
