using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using TorchSharp.Modules;
using static TorchSharp.torch;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace LoraFhe;

public static partial class Lora
{
    private const string LogTemplate = "{Timestamp:yyyy-MM-dd HH:mm:ss,fff} - {LevelName} - {Message:lj}{NewLine}{Exception}";

    /// <summary>Makes a logger that writes lines <c>time - LEVEL - message</c> to standard error and appends them to a file.</summary>
    /// <param name="logFile">The file; its folder is made if need be.</param>
    /// <param name="level">The lowest level that is written.</param>
    /// <returns>A logger of its own: another call's messages reach this file only if that call names it too. It is <see cref="IDisposable"/>;
    /// disposing closes the file.</returns>
    /// <exception cref="IOException">The file cannot be written, or its folder cannot be made; the text names it.</exception>
    public static ILogger SetupLogger(string logFile, LogLevel level = LogLevel.Information)
    {
        ArgumentException.ThrowIfNullOrEmpty(logFile);
        EnsureWritable(logFile);
        var logger = new LoggerConfiguration()
            .MinimumLevel.Is(LevelConvert.ToSerilogLevel(level))
            .Enrich.With(new LevelNameEnricher())
            .WriteTo.Console(outputTemplate: LogTemplate, formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose)
            .WriteTo.File(
                logFile, outputTemplate: LogTemplate, formatProvider: CultureInfo.InvariantCulture, shared: true, fileSizeLimitBytes: null)
            .CreateLogger();
        return new OwnedLogger(new SerilogLoggerFactory(logger, dispose: true));
    }

    // Serilog would go on without the file, and nobody would know.
    private static void EnsureWritable(string logFile)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(logFile)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }

            new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException(Errors.LogFileUnusable(logFile, exception.Message), exception);
        }
    }

    /// <summary>Moves a parameter's gradient to a device, if it has one.</summary>
    /// <param name="parameter">The parameter; itself stays where it is.</param>
    /// <param name="device">Where the gradient shall be.</param>
    public static void GradTo(Parameter parameter, Device device)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(device);
        using var scope = NewDisposeScope();
        if (parameter.grad is { } gradient
            && (gradient.device_type != device.type || (device.index >= 0 && gradient.device_index != device.index)))
        {
            parameter.grad = gradient.to(device);
        }
    }

    /// <summary>Moves an optimizer's state and its parameters' gradients to a device.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="device">Where they shall be.</param>
    /// <exception cref="NotSupportedException">The optimizer does not let its state be moved.</exception>
    public static void OptimizerTo(optim.Optimizer optimizer, Device device)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(device);
        // The state's tensors live as long as the optimizer: no scope of the caller's may take them.
        using (var scope = NewDisposeScope())
        {
            OptimizerState.Savable(optimizer).to(device);
            scope.Detach(scope.DisposablesView.ToArray());
        }

        foreach (var parameter in optimizer.parameters())
        {
            GradTo(parameter, device);
        }
    }

    /// <summary>The levels as Python's logging names them.</summary>
    private sealed class LevelNameEnricher : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory) =>
            logEvent.AddPropertyIfAbsent(propertyFactory.CreateProperty("LevelName", logEvent.Level switch
            {
                LogEventLevel.Verbose or LogEventLevel.Debug => "DEBUG",
                LogEventLevel.Information => "INFO",
                LogEventLevel.Warning => "WARNING",
                LogEventLevel.Error => "ERROR",
                _ => "CRITICAL",
            }));
    }

    /// <summary>A logger that closes its file when it is disposed of.</summary>
    private sealed class OwnedLogger(SerilogLoggerFactory factory) : ILogger, IDisposable
    {
        private readonly ILogger _logger = factory.CreateLogger("LoraFhe");

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => _logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => _logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _logger.Log(logLevel, eventId, state, exception, formatter);

        public void Dispose() => factory.Dispose();
    }
}
