using LoraFhe.Cryptography;
using Microsoft.Extensions.Logging;

namespace LoraFhe;

internal static partial class Log
{
    [LoggerMessage(EventIds.RowsScaledDown, LogLevel.Warning,
        "Layer '{Layer}', {Direction}: {Rows} rows are longer than any of the calibration batch and were scaled down to it. Compile with a wider batch, or with dynamic quantization.")]
    public static partial void RowsScaledDown(ILogger logger, string layer, LayerDirection direction, long rows);
}
