namespace LoraFhe;

/// <summary>Lets one caller at a time work with a trainer, and lets it finish before what it uses is freed.</summary>
/// <param name="release">Frees what the trainer holds; called once, after <see cref="Close"/> and when nobody is inside.</param>
internal sealed class TrainerGate(Action release)
{
    private readonly Lock _lock = new();
    private int? _thread;
    private bool _isClosed;

    /// <summary>Begins work on the calling thread; disposing ends it.</summary>
    /// <exception cref="InvalidOperationException">Somebody is at work already.</exception>
    /// <exception cref="ObjectDisposedException">The gate is closed.</exception>
    public IDisposable Enter()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(LoraTrainer));
            if (_thread is not null)
            {
                throw new InvalidOperationException(Errors.TrainingIsUnderWay);
            }

            _thread = Environment.CurrentManagedThreadId;
            return new Visit(this);
        }
    }

    /// <summary>As <see cref="Enter"/>, or within the work of the same thread: what a callback of training may do.</summary>
    public IDisposable? EnterOrJoin()
    {
        lock (_lock)
        {
            return _thread == Environment.CurrentManagedThreadId && !_isClosed ? null : Enter();
        }
    }

    /// <summary>Throws once the gate is closed: the work under way shall end.</summary>
    public void ThrowIfClosed()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(LoraTrainer));
        }
    }

    /// <summary>Lets nobody in any more, and frees what the trainer holds: now, or when the work under way has ended.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (_thread is not null)
            {
                return;
            }
        }

        release();
    }

    private void Leave()
    {
        lock (_lock)
        {
            _thread = null;
            if (!_isClosed)
            {
                return;
            }
        }

        release();
    }

    private sealed class Visit(TrainerGate gate) : IDisposable
    {
        public void Dispose() => gate.Leave();
    }
}
