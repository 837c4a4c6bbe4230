using Microsoft.Extensions.Logging;

namespace LoraFhe.Tests;

/// <summary>Keeps what is logged at Information and above.</summary>
internal sealed class RecordingLogger : ILogger
{
    public List<string> Lines { get; } = [];

    public List<(LogLevel Level, int Id)> Kinds { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Lines.Add(formatter(state, exception));
            Kinds.Add((logLevel, eventId.Id));
        }
    }
}
