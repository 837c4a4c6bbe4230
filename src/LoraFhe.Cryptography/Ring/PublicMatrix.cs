using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography;

/// <summary>A: the public matrix, d × N words below q, expanded from its seed. Its words are values of negacyclic transforms, for
/// whichever ring degree is in use.</summary>
/// <remarks>
/// Row j is feature j. AES-256-CTR under SHA-256("LoraFhe/1/public-matrix" ‖ parameters ‖ seed), stream j; 32-bit little-endian words
/// masked to 31 bits; words ≥ q are
/// rejected, the next word of the same stream follows. Stored [⌈d/16⌉][N][16], the lane being the feature; lanes past the last row are
/// zero.
/// Immutable and safe for use by several threads until disposed; spans and pointers taken from it end with it. Source: docs/scheme.md,
/// Seed.
/// </remarks>
public sealed unsafe class PublicMatrix : IDisposable
{
    private const int Columns = EncryptedLinearParameters.SecretDimension;

    // One row's words and some to spare: a word is rejected with probability 4.4e-5, so more are fetched for one row in 10^9 or so.
    private const int FirstFetch = (Columns * sizeof(uint)) + 64;

    private readonly NativeBuffer _words;

    private PublicMatrix(PublicMatrixSeed seed, int rows)
    {
        Seed = seed;
        Rows = rows;
        Blocks = FeatureBlocks.Count(rows);
        _words = NativeBuffer.AllocateZeroed((long)Blocks * BlockWords * sizeof(uint));
    }

    /// <summary>What the matrix was expanded from.</summary>
    public PublicMatrixSeed Seed { get; }

    /// <summary>d: the number of rows, at least the widest input of the layers it serves.</summary>
    public int Rows { get; }

    /// <summary>Blocks of 16 features.</summary>
    internal int Blocks { get; }

    /// <summary>Words of one block.</summary>
    internal static int BlockWords => Columns * FeatureBlocks.Width;

    /// <summary>The words; whoever reads them holds a reference.</summary>
    internal NativeBuffer Buffer => _words;

    private static ReadOnlySpan<byte> Label => "LoraFhe/1/public-matrix"u8;

    /// <summary>Expands a seed, on all cores.</summary>
    /// <param name="seed">The seed both sides know.</param>
    /// <param name="rows">The number of rows, at least 1: the widest input over all layers and directions. A wider matrix begins with a
    /// narrower one's rows.</param>
    /// <param name="cancellationToken">Stops the expansion.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is below 1.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static PublicMatrix Expand(PublicMatrixSeed seed, int rows, CancellationToken cancellationToken = default)
    {
        LittleEndian.Require();
        ArgumentNullException.ThrowIfNull(seed);
        if (rows < 1)
        {
            throw Errors.Rows(rows, nameof(rows));
        }

        var matrix = new PublicMatrix(seed, rows);
        try
        {
            matrix.Fill(cancellationToken);
            return matrix;
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    /// <summary>The key under which a seed is expanded: 32 bytes.</summary>
    internal static byte[] ExpansionKey(PublicMatrixSeed seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Label);
        hash.AppendData(EncryptedLinearParameters.Id);
        hash.AppendData(seed.Bytes);
        return hash.GetHashAndReset();
    }

    /// <summary>Block b, [N][16]: features 16b to 16b + 15, zero past the last row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    internal ReadOnlySpan<uint> Block(int block) => new(BlockPointer(block), BlockWords);

    /// <summary>The first word of block b.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    internal uint* BlockPointer(int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Blocks);
        ObjectDisposedException.ThrowIf(_words.IsClosed, this);
        return (uint*)_words.Pointer + ((long)block * BlockWords);
    }

    /// <summary>One row by rejection sampling, as plainly as the definition reads.</summary>
    internal static void ExpandRow(AesCounterStream stream, int row, Span<uint> destination, Span<byte> scratch)
    {
        var count = 0;
        for (ulong block = 0; count < destination.Length; block += (ulong)(scratch.Length / AesCounterStream.BlockSize))
        {
            stream.Fill((ulong)row, block, scratch);
            count += Accept(scratch, destination[count..]);
        }
    }

    /// <summary>Takes the words below q, in order, until the destination is full; returns how many.</summary>
    internal static int Accept(ReadOnlySpan<byte> bytes, Span<uint> destination)
    {
        var count = 0;
        for (var i = 0; i + sizeof(uint) <= bytes.Length && count < destination.Length; i += sizeof(uint))
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(bytes[i..]) & 0x7fffffff;
            destination[count] = word;
            count += word < Modular.Modulus ? 1 : 0;
        }

        return count;
    }

    private void Fill(CancellationToken cancellationToken)
    {
        var key = ExpansionKey(Seed);
        var workers = new Worker?[BlockWorkers.Count(Blocks, maxThreads: 0)];
        try
        {
            BlockWorkers.Run(Blocks, maxThreads: 0, (worker, block) =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                FillBlock(block, workers[worker] ??= new Worker(new AesCounterStream(key), new uint[Columns], new byte[FirstFetch]));
            });
        }
        finally
        {
            foreach (var worker in workers)
            {
                worker?.Stream.Dispose();
            }
        }
    }

    private void FillBlock(int block, Worker worker)
    {
        var words = (uint*)_words.Pointer + ((long)block * BlockWords);
        var first = block * FeatureBlocks.Width;
        for (var lane = 0; lane < FeatureBlocks.Width && first + lane < Rows; lane++)
        {
            ExpandRow(worker.Stream, first + lane, worker.Row, worker.Scratch);
            for (var column = 0; column < Columns; column++)
            {
                words[(column * FeatureBlocks.Width) + lane] = worker.Row[column];
            }
        }
    }

    /// <summary>Frees the words. Spans taken before must no longer be read.</summary>
    public void Dispose() => _words.Dispose();

    // What one thread expands rows with. Nothing of it is secret.
    private sealed record Worker(AesCounterStream Stream, uint[] Row, byte[] Scratch);
}
