using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoraFhe.Cryptography;

/// <summary>Native memory on a cache line's boundary, for weights, matrices and messages: too large and too long-lived for the managed
/// heap.</summary>
/// <remarks>A safe handle: whoever holds a reference (<see cref="SafeHandle.DangerousAddRef"/>) keeps the memory, whatever another thread
/// disposes.
/// Never for secrets: it is freed as it is.</remarks>
internal sealed unsafe class NativeBuffer : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Bytes of a cache line, and of the widest vector.</summary>
    public const int Alignment = 64;

    private NativeBuffer(void* memory, long length)
        : base(ownsHandle: true)
    {
        SetHandle((nint)memory);
        Length = length;
    }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>The first byte, on a boundary of <see cref="Alignment"/>. Valid while the caller holds a reference or knows the owner
    /// alive.</summary>
    public byte* Pointer => (byte*)handle;

    /// <summary>Memory with whatever it held before.</summary>
    /// <exception cref="OutOfMemoryException">The system has none left.</exception>
    public static NativeBuffer Allocate(long length) =>
        new(NativeMemory.AlignedAlloc(checked((nuint)Math.Max(length, Alignment)), Alignment), length);

    /// <summary>As <see cref="Allocate"/>, for what is kept for long and read from end to end: on large pages where it fills some.</summary>
    /// <exception cref="OutOfMemoryException">The system has none left.</exception>
    public static NativeBuffer AllocateLasting(long length)
    {
        if (length < 2 * HugePages.Size)
        {
            return Allocate(length);
        }

        var bytes = checked((nuint)length);
        var memory = NativeMemory.AlignedAlloc(bytes, HugePages.Size);
        HugePages.Advise(memory, bytes);
        return new NativeBuffer(memory, length);
    }

    /// <summary>As <see cref="AllocateLasting"/>, filled with zeros.</summary>
    /// <exception cref="OutOfMemoryException">The system has none left.</exception>
    public static NativeBuffer AllocateZeroed(long length)
    {
        var buffer = AllocateLasting(length);
        NativeMemory.Clear(buffer.Pointer, checked((nuint)length));
        return buffer;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
