using System.Buffers.Binary;
using System.Security.Cryptography;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>
/// The errors of simulate: the distribution of real ones, from a generator of its own that may be seeded. They hide nothing. torch's
/// generator is never touched, so that simulate and torch see the same dropout.
/// </summary>
/// <remarks>Call c is stream c of AES-256-CTR under SHA-256("LoraFhe/1/simulate" ‖ seed): a run that was stopped goes on with the same
/// errors if <see cref="Position"/> is restored. Not thread-safe.</remarks>
internal sealed class SimulatedErrors : IDisposable
{
    private AesCounterStream _stream;
    private byte[] _random = [];
    private sbyte[] _errors = [];

    /// <summary>A generator.</summary>
    /// <param name="seed">Any number.</param>
    public SimulatedErrors(long seed)
    {
        Seed = seed;
        _stream = Open(seed);
    }

    /// <summary>What the generator was seeded with.</summary>
    public long Seed { get; private set; }

    /// <summary>Calls so far.</summary>
    public long Position { get; private set; }

    /// <summary>Starts again from a seed, at a call.</summary>
    public void Reset(long seed, long position)
    {
        _stream.Dispose();
        _stream = Open(seed);
        (Seed, Position) = (seed, position);
    }

    /// <summary>The next call's errors, valid until the one after.</summary>
    public ReadOnlySpan<sbyte> Next(int count)
    {
        var batches = (count + CenteredBinomial.Batch - 1) / CenteredBinomial.Batch;
        if (_errors.Length < batches * CenteredBinomial.Batch)
        {
            _random = new byte[batches * CenteredBinomial.ErrorBatchBytes];
            _errors = new sbyte[batches * CenteredBinomial.Batch];
        }

        // A batch's bytes are whole blocks.
        var random = _random.AsSpan(0, batches * CenteredBinomial.ErrorBatchBytes);
        _stream.Fill((ulong)Position, firstBlock: 0, random);
        Position++;
        CenteredBinomial.Errors(random, _errors.AsSpan(0, batches * CenteredBinomial.Batch));
        return _errors.AsSpan(0, count);
    }

    /// <summary>Frees the generator.</summary>
    public void Dispose() => _stream.Dispose();

    private static AesCounterStream Open(long seed)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, seed);
        return new AesCounterStream(SHA256.HashData([.. "LoraFhe/1/simulate"u8, .. bytes]));
    }
}
