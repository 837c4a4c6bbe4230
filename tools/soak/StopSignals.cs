using System.Runtime.InteropServices;

namespace LoraFhe.Tools.Soak;

/// <summary>Ctrl-C and SIGTERM: the first stops after the step in hand, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>What a shell expects of a program that Ctrl-C ended.</summary>
    public const int ExitCode = 130;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
    ];

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = !_source.IsCancellationRequested;
        if (signal.Cancel)
        {
            Console.Error.WriteLine("Stopping after the step in hand; once more stops at once.");
            _source.Cancel();
        }
    }
}
