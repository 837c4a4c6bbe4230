using System.Runtime.ExceptionServices;

namespace LoraFhe.Cryptography;

/// <summary>The workers of one <see cref="BlockWorkers.Run"/>: the caller's thread, and threads of the pool that join if they come in time.</summary>
/// <remarks>
/// In place of <c>Parallel.For</c>, whose tasks, replicas and queues were 2 KiB a call and half of what a training step allocated. The caller
/// never waits for a thread that has not begun: where the pool is busy, it does all pieces itself.
/// </remarks>
internal sealed class BlockCrew(int pieces, Action<int, int> work) : IThreadPoolWorkItem
{
    // Added, when no more may join, to the number of those at work.
    private const int Closed = 1 << 30;

    private readonly object _gate = new();
    private int _next = -1;
    private int _joined = -1;
    private int _working;
    private bool _isDone;
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
        if (Interlocked.Increment(ref _working) > Closed)
        {
            Leave();
            return;
        }

        var worker = Interlocked.Increment(ref _joined);
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

    // Nothing before this can be interrupted, and this only waits on: the caller frees what the others still work with.
    private void Close()
    {
        if (Interlocked.Add(ref _working, Closed) == Closed)
        {
            return;
        }

        // The last pieces end at about the same time: mostly a short spin is all the waiting there is.
        var spin = new SpinWait();
        while (Volatile.Read(ref _working) > Closed && !spin.NextSpinWillYield)
        {
            spin.SpinOnce();
        }

        if (!WaitUninterrupted())
        {
            Thread.CurrentThread.Interrupt();
        }
    }

    // Returns whether nobody tried to interrupt.
    private bool WaitUninterrupted()
    {
        for (var isQuiet = true; ; isQuiet = false)
        {
            try
            {
                lock (_gate)
                {
                    while (!_isDone)
                    {
                        Monitor.Wait(_gate);
                    }

                    return isQuiet;
                }
            }
            catch (ThreadInterruptedException)
            {
                continue;
            }
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _working) == Closed)
        {
            lock (_gate)
            {
                _isDone = true;
                Monitor.Pulse(_gate);
            }
        }
    }
}
