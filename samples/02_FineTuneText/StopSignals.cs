using System.Runtime.InteropServices;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>Ctrl-C, SIGTERM and a closed terminal: the first stops after the step in hand, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private volatile int _number;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, 15)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Stop(signal, 1)),
    ];

    public CancellationToken Token => _source.Token;

    /// <summary>What a shell expects of a program that a signal ended: 130 after Ctrl-C.</summary>
    public int ExitCode => 128 + _number;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Stop(PosixSignalContext signal, int number)
    {
        signal.Cancel = !_source.IsCancellationRequested;
        if (signal.Cancel)
        {
            _number = number;
            Screen.Interrupt("  Stopping after the step in hand; once more stops at once.");
            _source.Cancel();
        }
    }
}
