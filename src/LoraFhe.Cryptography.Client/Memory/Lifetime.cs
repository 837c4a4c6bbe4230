namespace LoraFhe.Cryptography.Client;

/// <summary>Keeps native memory until its owner has disposed it and the last use under way has ended, so that a late dispose on another thread never unmaps what is being read.</summary>
internal sealed class Lifetime
{
    private readonly object _owner;
    private readonly Action _free;
    private int _uses = 1;
    private int _disposed;

    /// <summary>Takes the owner, named in the exception, and what frees the memory.</summary>
    public Lifetime(object owner, Action free) => (_owner, _free) = (owner, free);

    /// <summary>Begins a use.</summary>
    /// <exception cref="ObjectDisposedException">The owner was disposed.</exception>
    public void Enter()
    {
        for (var seen = Volatile.Read(ref _uses); ;)
        {
            ObjectDisposedException.ThrowIf(seen == 0 || Volatile.Read(ref _disposed) != 0, _owner);
            var before = Interlocked.CompareExchange(ref _uses, seen + 1, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>Ends a use.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            _free();
        }
    }

    /// <summary>Ends the owner's own use; no other begins after it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Exit();
        }
    }
}
