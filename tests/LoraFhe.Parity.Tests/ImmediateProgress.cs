namespace LoraFhe.Parity.Tests;

/// <summary>Progress that is told at once, on the same thread.</summary>
internal sealed class ImmediateProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
