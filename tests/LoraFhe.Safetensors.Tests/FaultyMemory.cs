using System.Buffers;

namespace LoraFhe.Safetensors.Tests;

/// <summary>Memory whose reading fails, as a disk or a mapped file may in the middle of a write.</summary>
internal sealed class FaultyMemory(int length) : MemoryManager<byte>
{
    public override Memory<byte> Memory => CreateMemory(length);

    public override Span<byte> GetSpan() => throw new IOException("The memory cannot be read.");

    public override MemoryHandle Pin(int elementIndex = 0) => throw new IOException("The memory cannot be read.");

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
