using System.Collections.Concurrent;

namespace LoraFhe.Cryptography.Client;

/// <summary>Keeps zeroed room for the next call's threads.</summary>
/// <remarks>One pool serves all layers: there is as much room as there are threads at work, not as many times more as there are layers. Safe for use by several threads.</remarks>
internal sealed class ScratchPool : IDisposable
{
    private readonly ConcurrentBag<WorkerScratch> _idle = [];

    /// <summary>The pool of the process.</summary>
    public static ScratchPool Shared { get; } = new();

    /// <summary>Zeroed room.</summary>
    public WorkerScratch Rent() => _idle.TryTake(out var scratch) ? scratch : new WorkerScratch();

    /// <summary>Zeroes the room and keeps it.</summary>
    public void Return(WorkerScratch scratch)
    {
        scratch.Erase();
        _idle.Add(scratch);
    }

    /// <summary>Frees all room; no call is under way.</summary>
    public void Dispose()
    {
        while (_idle.TryTake(out var scratch))
        {
            scratch.Dispose();
        }
    }
}
