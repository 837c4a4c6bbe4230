using Microsoft.Extensions.Logging;

namespace LoraFhe;

internal static partial class Log
{
    [LoggerMessage(EventIds.UnmatchedTarget, LogLevel.Warning, "Target module '{Target}' matches no layer of '{Model}'.")]
    public static partial void UnmatchedTarget(this ILogger logger, string target, string model);

    [LoggerMessage(EventIds.UnknownAdapterOptions, LogLevel.Warning, "{File}: unknown options are ignored: {Options}.")]
    public static partial void UnknownAdapterOptions(this ILogger logger, string file, string options);
}
