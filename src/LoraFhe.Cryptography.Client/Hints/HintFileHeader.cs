using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>The first bytes of a hint file.</summary>
/// <remarks>
/// All little-endian: magic "LFHINT" and two zeros (8 bytes), version (u32), outputs (i32), secret dimension (i32), chunk bytes (i32), length of the words (i64), binding (32),
/// SHA-256 of each chunk of the words (32 each), SHA-256 of all before (32), zeros up to a multiple of 4096; then the words [⌈outputs/16⌉][1536][16].
/// Source: docs/scheme.md, Hint files.
/// </remarks>
internal static class HintFileHeader
{
    /// <summary>What a hint file begins with.</summary>
    public const string MagicText = "LFHINT";

    /// <summary>The version this program writes and reads.</summary>
    public const int Version = 1;

    /// <summary>Bytes of the words that share one hash.</summary>
    public const int ChunkBytes = 1 << 20;

    private const int VersionOffset = 8;
    private const int OutputsOffset = 12;
    private const int DimensionOffset = 16;
    private const int ChunkOffset = 20;
    private const int LengthOffset = 24;
    private const int BindingOffset = 32;
    private const int HashesOffset = BindingOffset + Binding.Size;
    private const int Page = 4096;

    private static ReadOnlySpan<byte> Magic => "LFHINT\0\0"u8;

    /// <summary>Chunks of so many bytes of words.</summary>
    public static int Chunks(long wordBytes) => checked((int)((wordBytes + ChunkBytes - 1) / ChunkBytes));

    /// <summary>Bytes before the words.</summary>
    public static int Size(int chunks) =>
        checked((HashesOffset + ((chunks + 1) * SHA256.HashSizeInBytes) + Page - 1) / Page * Page);

    /// <summary>Writes a header.</summary>
    /// <param name="binding">The product the hint is of.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="hashes">The chunks' hashes, one after the other.</param>
    public static byte[] Write(Binding binding, int outputs, ReadOnlySpan<byte> hashes)
    {
        var header = new byte[Size(hashes.Length / SHA256.HashSizeInBytes)];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(OutputsOffset), outputs);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(DimensionOffset), EncryptedLinearParameters.SecretDimension);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(ChunkOffset), ChunkBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(LengthOffset), HintMaker.HintWords(outputs) * sizeof(uint));
        binding.CopyTo(header.AsSpan(BindingOffset));
        hashes.CopyTo(header.AsSpan(HashesOffset));
        SHA256.HashData(header.AsSpan(0, HashesOffset + hashes.Length), header.AsSpan(HashesOffset + hashes.Length));
        return header;
    }

    /// <summary>Reads and checks a header against what is expected of it.</summary>
    /// <param name="file">The file's name, for errors.</param>
    /// <param name="start">The file's first bytes, up to <see cref="Size"/> for the expected outputs.</param>
    /// <param name="fileLength">The file's length.</param>
    /// <param name="layer">The layer's name, for errors.</param>
    /// <param name="binding">The expected binding.</param>
    /// <param name="outputs">The expected outputs.</param>
    /// <returns>The chunks' hashes.</returns>
    /// <exception cref="InvalidDataException">The file is foreign, of another version, of another product, cut short or damaged.</exception>
    public static byte[] Read(string file, ReadOnlySpan<byte> start, long fileLength, string layer, Binding binding, int outputs)
    {
        if (start.Length < Magic.Length || !start[..Magic.Length].SequenceEqual(Magic))
        {
            throw Errors.HintForeign(file);
        }

        if (start.Length < HashesOffset)
        {
            throw Errors.HintTruncated(file, fileLength, HashesOffset);
        }

        var version = BinaryPrimitives.ReadInt32LittleEndian(start[VersionOffset..]);
        if (version != Version)
        {
            throw Errors.HintVersion(file, version, Version);
        }

        var found = Binding.FromBytes(start.Slice(BindingOffset, Binding.Size));
        if (found != binding)
        {
            throw Errors.HintOther(file, layer, found, binding);
        }

        var foundOutputs = BinaryPrimitives.ReadInt32LittleEndian(start[OutputsOffset..]);
        if (foundOutputs != outputs)
        {
            throw Errors.HintShape(file, foundOutputs, outputs);
        }

        // From here on every size follows from the outputs, not from the file.
        var wordBytes = HintMaker.HintWords(outputs) * sizeof(uint);
        var chunks = Chunks(wordBytes);
        if (fileLength != Size(chunks) + wordBytes)
        {
            throw Errors.HintTruncated(file, fileLength, Size(chunks) + wordBytes);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        var hashes = start.Slice(HashesOffset, chunks * SHA256.HashSizeInBytes);
        SHA256.HashData(start[..(HashesOffset + hashes.Length)], digest);
        var intact = digest.SequenceEqual(start.Slice(HashesOffset + hashes.Length, digest.Length))
            && BinaryPrimitives.ReadInt32LittleEndian(start[DimensionOffset..]) == EncryptedLinearParameters.SecretDimension
            && BinaryPrimitives.ReadInt32LittleEndian(start[ChunkOffset..]) == ChunkBytes
            && BinaryPrimitives.ReadInt64LittleEndian(start[LengthOffset..]) == wordBytes;
        return intact ? hashes.ToArray() : throw Errors.HintDamagedHeader(file);
    }
}
