using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace LoraFhe.Cryptography.Client;

/// <summary>H = W·A modulo q of one layer and direction: what the data owner keeps to remove masks. In memory, or mapped from a file. Public numbers, but as large as 6 kB an output.</summary>
/// <remarks>Safe for use by several threads until disposed. A mapped hint's parts are checked against their hashes when first used.</remarks>
public sealed unsafe class Hint : IDisposable
{
    private readonly NativeBuffer? _memory;
    private readonly SafeFileHandle? _handle;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly string _name = "";
    private readonly byte[] _hashes = [];
    private readonly Lock _checking = new();
    private readonly Lifetime _lifetime;
    private readonly long _length;
    private byte* _words;
    private bool _checked;

    private Hint(Binding binding, int outputs)
    {
        Binding = binding;
        Outputs = outputs;
        _lifetime = new Lifetime(this, Free);
    }

    private Hint(Binding binding, int outputs, NativeBuffer memory)
        : this(binding, outputs)
    {
        _memory = memory;
        _words = memory.Pointer;
    }

    private Hint(
        Binding binding, int outputs, string name, byte[] hashes, SafeFileHandle handle, MemoryMappedFile file, MemoryMappedViewAccessor view, long offset)
        : this(binding, outputs)
    {
        (_name, _hashes, _handle, _file, _view, _length) = (name, hashes, handle, file, view, offset + Bytes);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _words = pointer + view.PointerOffset + offset;
    }

    /// <summary>The product this is the hint of.</summary>
    public Binding Binding { get; }

    /// <summary>The product's outputs.</summary>
    public int Outputs { get; }

    /// <summary>Bytes of the words: 6,144 for each output, outputs rounded up to 16.</summary>
    public long Bytes => HintMaker.HintWords(Outputs) * sizeof(uint);

    /// <summary>Whether the words are mapped from a file.</summary>
    public bool IsMapped => _view is not null;

    /// <summary>Computes a hint in memory.</summary>
    /// <param name="layer">The frozen layer.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="a">The public matrix, at least as many rows as the product has inputs.</param>
    /// <param name="maxThreads">Threads to use; 0 for all.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException"><paramref name="a"/> has too few rows.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static Hint Make(QuantizedLayer layer, LayerDirection direction, PublicMatrix a, int maxThreads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(a);
        var outputs = layer.Outputs(direction);
        var words = HintMaker.HintWords(outputs);
        var memory = NativeBuffer.AllocateLasting(words * sizeof(uint));
        try
        {
            HintMaker.Make(layer, direction, a, new Span<uint>(memory.Pointer, checked((int)words)), maxThreads, cancellationToken);
            return new Hint(Binding.Compute(layer, direction, a.Seed), outputs, memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Takes ownership of a mapping whose header was checked.</summary>
    internal static Hint Mapped(
        Binding binding, int outputs, string name, byte[] hashes, SafeFileHandle handle, MemoryMappedFile file, MemoryMappedViewAccessor view, long offset) =>
        new(binding, outputs, name, hashes, handle, file, view, offset);

    /// <summary>Begins a use: the words stay until <see cref="EndUse"/>, whoever disposes the hint.</summary>
    /// <exception cref="InvalidDataException">The hint's file was cut short since it was mapped.</exception>
    /// <exception cref="ObjectDisposedException">The hint was disposed.</exception>
    internal void BeginUse()
    {
        _lifetime.Enter();

        // The system ends a process that reads a mapping beyond its file's end. Who cuts the file within a use still brings that about.
        if (_handle is not null && RandomAccess.GetLength(_handle) is var found && found < _length)
        {
            _lifetime.Exit();
            throw Errors.HintTruncated(_name, found, _length);
        }
    }

    /// <summary>Ends a use.</summary>
    internal void EndUse() => _lifetime.Exit();

    /// <summary>Has the system begin to read a mapped hint that is not in memory, for a use that comes soon; does not wait for it.</summary>
    /// <returns>Whether there was anything to read.</returns>
    /// <exception cref="ObjectDisposedException">The hint was disposed.</exception>
    internal bool ReadAhead()
    {
        if (!IsMapped)
        {
            return false;
        }

        _lifetime.Enter();
        try
        {
            if (MappedPages.AreHeld(_words, Bytes))
            {
                return false;
            }

            MappedPages.ReadAhead(_words, Bytes);
            return true;
        }
        finally
        {
            _lifetime.Exit();
        }
    }

    /// <summary>Words as bytes, within a use.</summary>
    internal ReadOnlySpan<byte> Piece(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, Bytes);
        return new ReadOnlySpan<byte>(_words + start, length);
    }

    /// <summary>Block b, [1536][16], within a use. Call <see cref="Check"/> first.</summary>
    internal uint* BlockPointer(int block) => (uint*)_words + ((long)block * PublicMatrix.BlockWords);

    /// <summary>Checks a mapped hint at its first use: every part's hash, and that its words are below q. Within a use.</summary>
    /// <exception cref="InvalidDataException">A part is damaged.</exception>
    internal void Check(int maxThreads)
    {
        if (!IsMapped || Volatile.Read(ref _checked))
        {
            return;
        }

        lock (_checking)
        {
            if (_checked)
            {
                return;
            }

            var chunks = HintFileHeader.Chunks(Bytes);
            var damaged = chunks;
            BlockWorkers.Run(chunks, maxThreads, (_, chunk) =>
            {
                if (!IsIntact(chunk))
                {
                    InterlockedMin(ref damaged, chunk);
                }
            });
            if (damaged < chunks)
            {
                throw Errors.HintDamaged(_name, damaged, chunks);
            }

            Volatile.Write(ref _checked, true);
        }
    }

    /// <summary>Frees or unmaps the words once no call reads them.</summary>
    public void Dispose() => _lifetime.Dispose();

    private void Free()
    {
        _words = null;
        _memory?.Dispose();
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
        _handle?.Dispose();
    }

    private bool IsIntact(int chunk)
    {
        var start = (long)chunk * HintFileHeader.ChunkBytes;
        var bytes = Piece(start, (int)Math.Min(HintFileHeader.ChunkBytes, Bytes - start));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        return digest.SequenceEqual(_hashes.AsSpan(chunk * digest.Length, digest.Length))
            && !MemoryMarshal.Cast<byte, uint>(bytes).ContainsAnyExceptInRange(0u, EncryptedLinearParameters.Modulus - 1);
    }

    private static void InterlockedMin(ref int place, int value)
    {
        for (var seen = Volatile.Read(ref place); value < seen;)
        {
            var before = Interlocked.CompareExchange(ref place, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}
