using Microsoft.Extensions.Logging;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Shows each message before it goes on.</summary>
/// <param name="inner">Takes the log.</param>
/// <param name="watch">Sees it first.</param>
internal sealed class WatchedLogger(ILogger inner, Action<string> watch) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        watch(formatter(state, exception));
        inner.Log(logLevel, eventId, state, exception, formatter);
    }
}
