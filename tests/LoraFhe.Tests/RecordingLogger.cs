using Microsoft.Extensions.Logging;

namespace LoraFhe.Tests;

/// <summary>Keeps what is logged at Information and above, or at another level.</summary>
internal sealed class RecordingLogger : ILogger
{
    public LogLevel Least { get; init; } = LogLevel.Information;

    public List<string> Lines { get; } = [];

    public List<(LogLevel Level, int Id)> Kinds { get; } = [];

    /// <summary>Sees each line before it is kept; may throw.</summary>
    public Action<string> Watch { get; set; } = _ => { };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Watch(formatter(state, exception));
            Lines.Add(formatter(state, exception));
            Kinds.Add((logLevel, eventId.Id));
        }
    }
}
