using static TorchSharp.torch.optim;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe;

/// <summary>The learning rate schedules of the transformers library, stepped once an update.</summary>
/// <remarks>Each multiplies the optimizer's learning rates by a factor of the updates made so far. Source: transformers,
/// <c>optimization.py</c>; held to its recorded numbers.</remarks>
public static class Schedules
{
    /// <summary>The optimizer's own learning rates throughout.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    public static LRScheduler Constant(Optimizer optimizer) => LambdaLR(optimizer, _ => 1.0);

    /// <summary>Rises linearly from 0, then stays.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="warmupSteps"/> is negative.</exception>
    public static LRScheduler ConstantWithWarmup(Optimizer optimizer, int warmupSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        return LambdaLR(optimizer, step => step < warmupSteps ? step / (double)Math.Max(1, warmupSteps) : 1.0);
    }

    /// <summary>Rises linearly from 0, then falls linearly to 0.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates until 0, the warm-up included; it stays 0 after them.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler LinearWithWarmup(Optimizer optimizer, int warmupSteps, int totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        return LambdaLR(optimizer, step => step < warmupSteps
            ? step / (double)Math.Max(1, warmupSteps)
            : Math.Max(0.0, (totalSteps - step) / (double)Math.Max(1, totalSteps - warmupSteps)));
    }

    /// <summary>Rises linearly from 0, then falls along a cosine.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates in which the cosine runs, the warm-up included.</param>
    /// <param name="cycles">Waves; 0.5, the default, falls once to 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler CosineWithWarmup(Optimizer optimizer, int warmupSteps, int totalSteps, double cycles = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(cycles);
        return LambdaLR(optimizer, step =>
        {
            if (step < warmupSteps)
            {
                return step / (double)Math.Max(1, warmupSteps);
            }

            var progress = (step - warmupSteps) / (double)Math.Max(1, totalSteps - warmupSteps);
            return Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * progress)));
        });
    }
}
