using System.Collections.Concurrent;

namespace LoraFhe.Cryptography.Client;

/// <summary>Keeps zeroed secret memory for the next call, so that a step in steady state allocates none.</summary>
/// <remarks>Safe for use by several threads. Memory handed back after <see cref="Dispose"/> is zeroed and freed.</remarks>
internal sealed class SecretMemoryPool : IDisposable
{
    private readonly int _kept;
    private readonly ConcurrentBag<SecretMemory> _idle = [];
    private volatile bool _disposed;

    /// <summary>The pool of the process: calls under way in one training step are few.</summary>
    public static SecretMemoryPool Shared { get; } = new(kept: 16);

    /// <summary>Takes the number of pieces to keep.</summary>
    public SecretMemoryPool(int kept) => _kept = kept;

    /// <summary>Zeroed memory of at least <paramref name="length"/> bytes.</summary>
    public SecretMemory Rent(int length)
    {
        while (_idle.TryTake(out var memory))
        {
            if (memory.Length >= length)
            {
                return memory;
            }

            memory.Dispose();
        }

        return new SecretMemory(length);
    }

    /// <summary>Zeroes the memory and keeps it, or frees it if enough is kept.</summary>
    public void Return(SecretMemory memory)
    {
        memory.Erase();
        if (_disposed || _idle.Count >= _kept)
        {
            memory.Dispose();
            return;
        }

        _idle.Add(memory);
        if (_disposed)
        {
            FreeIdle();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        FreeIdle();
    }

    private void FreeIdle()
    {
        while (_idle.TryTake(out var memory))
        {
            memory.Dispose();
        }
    }
}
