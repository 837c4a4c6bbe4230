using Microsoft.Extensions.Logging;

namespace LoraFhe;

internal static partial class Log
{
    [LoggerMessage(EventIds.UnmatchedTarget, LogLevel.Warning, "Target module '{Target}' matches no layer of '{Model}'.")]
    public static partial void UnmatchedTarget(this ILogger logger, string target, string model);

    [LoggerMessage(EventIds.UnmatchedModuleToSave, LogLevel.Warning, "Module to save '{Name}' matches no module of '{Model}'.")]
    public static partial void UnmatchedModuleToSave(this ILogger logger, string name, string model);

    [LoggerMessage(EventIds.UnknownAdapterOptions, LogLevel.Warning, "{File}: unknown options are ignored: {Options}.")]
    public static partial void UnknownAdapterOptions(this ILogger logger, string file, string options);

    [LoggerMessage(EventIds.ActiveAdapterDeleted, LogLevel.Warning, "Adapter '{Adapter}' was active and is deleted; '{Next}' is active now.")]
    public static partial void ActiveAdapterDeleted(this ILogger logger, string adapter, string next);

    [LoggerMessage(EventIds.TrainedBiasesStay, LogLevel.Warning, "Adapter '{Adapter}' trains biases: without it the model does not answer as the bare one.")]
    public static partial void TrainedBiasesStay(this ILogger logger, string adapter);

    [LoggerMessage(EventIds.AlreadyMerged, LogLevel.Warning, "All adapters asked for are merged already ({Merged}); nothing to do.")]
    public static partial void AlreadyMerged(this ILogger logger, string merged);

    [LoggerMessage(EventIds.MergedOnTop, LogLevel.Warning, "Merged already: {Merged}; now merged as well: {Added}.")]
    public static partial void MergedOnTop(this ILogger logger, string merged, string added);

    [LoggerMessage(EventIds.NothingToUnmerge, LogLevel.Warning, "No adapter is merged; nothing to do.")]
    public static partial void NothingToUnmerge(this ILogger logger);

    [LoggerMessage(EventIds.UnmergedFirst, LogLevel.Warning, "{Operation}: merged adapters are unmerged first.")]
    public static partial void UnmergedFirst(this ILogger logger, string operation);

    [LoggerMessage(EventIds.BiasNotMergeable, LogLevel.Warning, "Layer '{Layer}' has no bias: with LoraBias its adapter cannot be merged.")]
    public static partial void BiasNotMergeable(this ILogger logger, string layer);

    [LoggerMessage(EventIds.TiedWeightAdapted, LogLevel.Warning, "'{Layer}' shares its weight with '{Other}', beside which the adapter does not stand: merged, it changes both.")]
    public static partial void TiedWeightAdapted(this ILogger logger, string layer, string other);

    [LoggerMessage(EventIds.TiedWeightCopied, LogLevel.Warning, "'{Module}' shares its weight with '{Other}': the copy that is trained whole does not, nor does the model once it is merged.")]
    public static partial void TiedWeightCopied(this ILogger logger, string module, string other);
}
