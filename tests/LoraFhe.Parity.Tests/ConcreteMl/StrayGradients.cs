using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>What the reference's stray gradients touch in a run, so that the rest is compared.</summary>
/// <remarks>
/// There a skipped <c>Conv1D</c> becomes a trainable <c>Linear</c> that no optimizer has: its gradient is never cleared, and counts in norms, in their mean and in the
/// norm by which gradients are clipped. So GPT-2's torch runs with a skipped layer list two parameters more, and those that clip update less than they should from the
/// first update on that has a rate. What plain PyTorch gave for the same run, which was recorded beside it, has no such gradient.
/// </remarks>
internal static class StrayGradients
{
    /// <summary>Whether a recorded parameter is such a layer's.</summary>
    public static bool Is(string parameter) => parameter.Contains(".private_module.", StringComparison.Ordinal);

    /// <summary>Whether a torch run's updates were clipped by a norm that such gradients are in. Runs in other modes are bounded too loosely for it to matter.</summary>
    public static bool ClipIn(GoldenJson run) =>
        run.Has("plain_pytorch") && !run["config"]["max_grad_norm"].IsNull && run["params_with_grad_after_first_batch"].AsStrings.Any(Is);

    /// <summary>Batches, from the first, of which everything recorded but the mean of norms is free of them.</summary>
    public static int FreeBatches(GoldenJson run) => ClipIn(run)
        ? run["optimizer_stepped_after_n_batches"].AsInt32s.Zip(run["lr_used_at_each_optimizer_step"].AsDoubles).First(update => update.Second > 0).First
        : int.MaxValue;

    /// <summary>The losses that the run would have had without them.</summary>
    public static double[] Losses(GoldenJson run) => ClipIn(run) ? run["plain_pytorch"]["losses"].AsDoubles : run["training_losses"].AsDoubles;

    /// <summary>The recorded norms without theirs, by parameter.</summary>
    public static IEnumerable<(string Name, double[] Norms)> Norms(GoldenJson run) =>
        run["gradient_stats"].Members.Where(entry => !Is(entry.Name)).Select(entry => (entry.Name, entry.Value.AsDoubles));
}
