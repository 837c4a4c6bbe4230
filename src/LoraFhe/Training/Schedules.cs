using static TorchSharp.torch.optim;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe;

/// <summary>The learning rate schedules of the transformers library, stepped once an update.</summary>
/// <remarks>Each multiplies the optimizer's learning rates by a factor of the updates made so far. Source: transformers,
/// <c>optimization.py</c>; held to its recorded numbers.</remarks>
public static class Schedules
{
    private const double DefaultEnd = 1e-7;
    private const int DefaultTimescale = 10_000;

    /// <summary>The optimizer's own learning rates throughout: <c>constant</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    public static LRScheduler Constant(Optimizer optimizer) => LambdaLR(optimizer, _ => 1.0);

    /// <summary>Rises linearly from 0, then stays: <c>constant_with_warmup</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="warmupSteps"/> is negative.</exception>
    public static LRScheduler ConstantWithWarmup(Optimizer optimizer, int warmupSteps) => WithWarmup(optimizer, warmupSteps, _ => 1.0);

    /// <summary>Rises linearly from 0, then falls linearly to 0: <c>linear</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates until 0, the warm-up included; it stays 0 after them.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler LinearWithWarmup(Optimizer optimizer, int warmupSteps, int totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        return WithWarmup(optimizer, warmupSteps, step => Math.Max(0.0, (totalSteps - step) / (double)Math.Max(1, totalSteps - warmupSteps)));
    }

    /// <summary>Rises linearly from 0, then falls along a cosine: <c>cosine</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates in which the cosine runs, the warm-up included.</param>
    /// <param name="cycles">Waves; 0.5, the default, falls once to 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler CosineWithWarmup(Optimizer optimizer, int warmupSteps, int totalSteps, double cycles = 0.5) =>
        CosineWithMinLr(optimizer, warmupSteps, totalSteps, minLrRate: 0, cycles);

    /// <summary>Rises linearly from 0, then falls along a cosine that ends above 0: <c>cosine_with_min_lr</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates in which the cosine runs, the warm-up included.</param>
    /// <param name="minLrRate">The lowest rate over the full one: transformers' <c>min_lr_rate</c>, or its <c>min_lr</c> over the optimizer's rate.</param>
    /// <param name="cycles">Waves; 0.5, the default, falls once.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler CosineWithMinLr(Optimizer optimizer, int warmupSteps, int totalSteps, double minLrRate, double cycles = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(minLrRate);
        ArgumentOutOfRangeException.ThrowIfNegative(cycles);
        return WithWarmup(optimizer, warmupSteps, step =>
            (Wave(cycles * 2.0 * Progress(step, warmupSteps, totalSteps)) * (1 - minLrRate)) + minLrRate);
    }

    /// <summary>Rises linearly from 0, then falls along a cosine several times, from the full rate each: <c>cosine_with_restarts</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates until 0, the warm-up included; it stays 0 after them.</param>
    /// <param name="cycles">How often it falls to 0; 1, the default, restarts nowhere.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static LRScheduler CosineWithRestarts(Optimizer optimizer, int warmupSteps, int totalSteps, int cycles = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(cycles);
        return WithWarmup(optimizer, warmupSteps, step => Progress(step, warmupSteps, totalSteps) is < 1.0 and var progress
            ? Wave(cycles * progress % 1.0)
            : 0.0);
    }

    /// <summary>Rises linearly from 0, then falls along a power to a last rate: <c>polynomial</c>.</summary>
    /// <param name="optimizer">The optimizer to control; the rate of its first group is the full one.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="totalSteps">Updates until the last rate, the warm-up included; it stays so after them.</param>
    /// <param name="lrEnd">The last rate, below the full one; 1e-7 by default.</param>
    /// <param name="power">1, the default, falls linearly.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative or <paramref name="power"/> is 0, no update comes after the warm-up, or <paramref name="lrEnd"/> is not below
    /// the full rate.</exception>
    public static LRScheduler Polynomial(Optimizer optimizer, int warmupSteps, int totalSteps, double lrEnd = DefaultEnd, double power = 1.0)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(totalSteps, warmupSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(lrEnd);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(power);
        var full = optimizer.ParamGroups.First().InitialLearningRate;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lrEnd, full);
        return WithWarmup(optimizer, warmupSteps, step =>
        {
            var remaining = 1 - Math.Min(1.0, Progress(step, warmupSteps, totalSteps));
            return (((full - lrEnd) * Math.Pow(remaining, power)) + lrEnd) / full;
        });
    }

    /// <summary>Rises linearly from 0, then falls with the square root of the updates: <c>inverse_sqrt</c>.</summary>
    /// <param name="optimizer">The optimizer to control.</param>
    /// <param name="warmupSteps">Updates until the full rate; 0 for none.</param>
    /// <param name="timescale">After three times as many updates as this the rate is half; null, the default: <paramref name="warmupSteps"/>, or
    /// 10,000 without a warm-up.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="warmupSteps"/> is negative, or <paramref name="timescale"/> is less than 1.</exception>
    public static LRScheduler InverseSqrt(Optimizer optimizer, int warmupSteps, int? timescale = null)
    {
        var scale = timescale ?? (warmupSteps > 0 ? warmupSteps : DefaultTimescale);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1, nameof(timescale));
        return WithWarmup(optimizer, warmupSteps, step => 1.0 / Math.Sqrt((step - warmupSteps + (double)scale) / scale));
    }

    private static LRScheduler WithWarmup(Optimizer optimizer, int warmupSteps, Func<int, double> after)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        return LambdaLR(optimizer, step => step < warmupSteps ? step / (double)warmupSteps : after(step));
    }

    // From 0 at the end of the warm-up to 1 at the end, and on.
    private static double Progress(int step, int warmupSteps, int totalSteps) =>
        (step - warmupSteps) / (double)Math.Max(1, totalSteps - warmupSteps);

    // From 1 down to 0 at 1, and up again to 1 at 2.
    private static double Wave(double halves) => 0.5 * (1.0 + Math.Cos(Math.PI * halves));
}
