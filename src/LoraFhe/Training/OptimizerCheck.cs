using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.optim;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe;

/// <summary>Whether an optimizer and a schedule fit the model that they are to train.</summary>
internal static class OptimizerCheck
{
    /// <exception cref="ArgumentException">The optimizer has none of the model's trainable parameters, or needs a closure, or the schedule is another optimizer's.</exception>
    public static void Fits(nn.Module model, Optimizer optimizer, LRScheduler? lrScheduler)
    {
        if (optimizer is LBFGS)
        {
            throw new ArgumentException(Errors.OptimizerNeedsClosure(nameof(LBFGS)), nameof(optimizer));
        }

        var trainable = new TrainableParameters(model).All;
        if (trainable.Count == 0)
        {
            // A module that was disposed of names no parameters.
            throw new ArgumentException(model.parameters().Any() ? Errors.NothingTrainable : Errors.ModelDisposed(model.GetType()), nameof(model));
        }

        if (!DistinctParameters.Overlap(trainable.Select(entry => entry.Parameter), optimizer.parameters()))
        {
            throw new ArgumentException(Errors.OptimizerOfOtherParameters(trainable.Count, trainable[0].Name), nameof(optimizer));
        }

        if (lrScheduler is not null && TorchInternals.OptimizerOf(lrScheduler) is { } controlled && !ReferenceEquals(controlled, optimizer))
        {
            throw new ArgumentException(Errors.ScheduleOfOtherOptimizer, nameof(lrScheduler));
        }
    }
}
