using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>Native memory for secrets: it never moves, is zero when handed out, and is zeroed before it is reused or freed.</summary>
[DebuggerDisplay("{Length} bytes")]
internal sealed unsafe class SecretMemory : IDisposable
{
    private const int Alignment = 64;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private byte* _pointer;

    /// <summary>Allocates zeroed memory.</summary>
    /// <exception cref="OutOfMemoryException">The system has none left.</exception>
    public SecretMemory(int length)
    {
        Length = Math.Max(length, Alignment);
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Length, Alignment);
        Erase();
    }

    /// <summary>Abandoned secrets are zeroed too.</summary>
    ~SecretMemory() => Release();

    /// <summary>Size in bytes.</summary>
    public int Length { get; }

    /// <summary>The first byte, on a boundary of 64.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    /// <summary>The bytes.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public Span<byte> Bytes => new(Pointer, Length);

    /// <summary>Zeroes the memory, in a way no optimizer removes.</summary>
    public void Erase() => CryptographicOperations.ZeroMemory(Bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (_pointer is not null)
        {
            Erase();
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
        }
    }
}
