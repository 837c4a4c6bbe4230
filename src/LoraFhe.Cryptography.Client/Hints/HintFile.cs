using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace LoraFhe.Cryptography.Client;

/// <summary>Hints on disk: versioned, bound to their product, hashed in parts, written whole or not at all.</summary>
public static class HintFile
{
    /// <summary>The end of a hint file's name.</summary>
    public const string Extension = ".hint";

    /// <summary>The end of the name of a file that is being written.</summary>
    internal const string TemporaryExtension = ".hint-writing";

    /// <summary>Writes a hint: under a temporary name, flushed to the disk, then renamed, so that a crash leaves no half file under the right name.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="hint">The hint.</param>
    /// <exception cref="InvalidDataException">The hint is mapped from a file that is damaged; nothing was written.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Hint hint)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(hint);
        var chunks = HintFileHeader.Chunks(hint.Bytes);
        var hashes = new byte[chunks * SHA256.HashSizeInBytes];
        var temporary = $"{path[..^Path.GetExtension(path).Length]}.{Guid.NewGuid():N}{TemporaryExtension}";
        hint.BeginUse();
        try
        {
            // Else a damaged file's words would get hashes that fit them.
            hint.Check(maxThreads: 0);
            BlockWorkers.Run(chunks, maxThreads: 0, (_, chunk) => SHA256.HashData(Chunk(hint, chunk), hashes.AsSpan(chunk * SHA256.HashSizeInBytes)));
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(HintFileHeader.Write(hint.Binding, hint.Outputs, hashes));
                for (var chunk = 0; chunk < chunks; chunk++)
                {
                    stream.Write(Chunk(hint, chunk));
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        finally
        {
            hint.EndUse();
        }
    }

    /// <summary>Maps a hint file. Its header is checked now, its words when first used.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layer">The frozen layer.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="seed">The public matrix's seed.</param>
    /// <exception cref="InvalidDataException">The file is foreign, of another version, made for another product, cut short or damaged; the text names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Hint Open(string path, QuantizedLayer layer, LayerDirection direction, PublicMatrixSeed seed)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(seed);
        var name = Path.GetFileName(path);
        var outputs = layer.Outputs(direction);
        var binding = Binding.Compute(layer, direction, seed);
        var offset = HintFileHeader.Size(HintFileHeader.Chunks(HintMaker.HintWords(outputs) * sizeof(uint)));

        // Kept open: its length tells whether the mapping still has a file behind it.
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            var length = RandomAccess.GetLength(handle);
            var hashes = HintFileHeader.Read(name, Start(handle, (int)Math.Min(offset, length)), length, layer.Name, binding, outputs);
            file = MemoryMappedFile.CreateFromFile(handle, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            return Hint.Mapped(binding, outputs, name, hashes, handle, file, view, offset);
        }
        catch
        {
            view?.Dispose();
            file?.Dispose();
            handle.Dispose();
            throw;
        }
    }

    private static byte[] Start(SafeFileHandle handle, int length)
    {
        var start = new byte[length];
        for (var read = 0; read < length;)
        {
            var count = RandomAccess.Read(handle, start.AsSpan(read), read);
            read += count > 0 ? count : throw new EndOfStreamException();
        }

        return start;
    }

    private static ReadOnlySpan<byte> Chunk(Hint hint, int chunk)
    {
        var start = (long)chunk * HintFileHeader.ChunkBytes;
        return hint.Piece(start, (int)Math.Min(HintFileHeader.ChunkBytes, hint.Bytes - start));
    }
}
