using LoraFhe.Cryptography;
using Microsoft.Extensions.Logging;

namespace LoraFhe;

internal static partial class Log
{
    [LoggerMessage(EventIds.RowsScaledDown, LogLevel.Warning,
        "Layer '{Layer}', {Direction}: {Rows} rows are longer than any of the calibration batch and were scaled down to it. Compile with a wider batch, or with dynamic quantization.")]
    public static partial void RowsScaledDown(ILogger logger, string layer, LayerDirection direction, long rows);

    [LoggerMessage(EventIds.LayersNotCalled, LogLevel.Warning, "The calibration batch did not call these layers: {Layers:l}. Use a batch that does, if training will.")]
    public static partial void LayersNotCalled(ILogger logger, string layers);

    [LoggerMessage(EventIds.KernelRejected, LogLevel.Warning,
        "The {Kernel} kernel of the {Half} half failed its check at start-up: this machine miscomputes it. {Used} is used instead: right, but slower. Report the processor, and what it runs under.")]
    public static partial void KernelRejected(ILogger logger, string kernel, string half, string used);
}
