using System.Runtime.ExceptionServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>The workers of one <see cref="BlockWorkers.Run"/>: the caller's thread, and threads of the pool that join if they come in time.</summary>
/// <remarks>
/// In place of <c>Parallel.For</c>, whose tasks, replicas and queues were 2 KiB a call and half of what a training step allocated. The caller
/// never waits for a thread that has not begun: where the pool is busy, it does all pieces itself.
/// </remarks>
internal sealed class BlockCrew(int pieces, Action<int, int> work) : IThreadPoolWorkItem
{
    private readonly object _gate = new();
    private int _next = -1;
    private int _joined;
    private int _working;
    private bool _isClosed;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Does pieces until none is left, with one thread of the pool for each further worker, and waits for those that began.</summary>
    /// <exception cref="Exception">The first that a piece threw. No piece is begun after it.</exception>
    public void Run(int workers)
    {
        for (var worker = 1; worker < workers; worker++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        Execute();
        Close();
        _failure?.Throw();
    }

    /// <inheritdoc/>
    public void Execute()
    {
        int worker;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            worker = _joined++;
            _working++;
        }

        try
        {
            for (var piece = Interlocked.Increment(ref _next); piece < pieces; piece = Interlocked.Increment(ref _next))
            {
                work(worker, piece);
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            Volatile.Write(ref _next, pieces);
        }
        finally
        {
            Leave();
        }
    }

    // The last pieces end at about the same time: mostly a short spin is all the waiting there is.
    private void Close()
    {
        var spin = new SpinWait();
        while (Volatile.Read(ref _working) > 0 && !spin.NextSpinWillYield)
        {
            spin.SpinOnce();
        }

        lock (_gate)
        {
            _isClosed = true;
            while (_working > 0)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_working == 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }
}
