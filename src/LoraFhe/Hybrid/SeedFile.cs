using LoraFhe.Cryptography;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>Keeps the public matrix's seed beside the hints that were made for it. It is no secret.</summary>
internal static class SeedFile
{
    private const string FileName = "public-matrix.seed";

    /// <summary>Reads a folder's seed, or draws and writes one; if another process was faster, reads that one's.</summary>
    /// <exception cref="InvalidDataException">The file is no seed.</exception>
    public static PublicMatrixSeed ReadOrMake(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            Write(path, PublicMatrixSeed.Generate().Bytes.ToArray());
        }

        var bytes = File.ReadAllBytes(path);
        return bytes.Length == PublicMatrixSeed.Size
            ? PublicMatrixSeed.FromBytes(bytes)
            : throw new InvalidDataException(Errors.NoSeed(path, bytes.Length));
    }

    private static void Write(string path, byte[] bytes)
    {
        try
        {
            AtomicFile.Write(path, stream => stream.Write(bytes), overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process wrote it first: its seed counts, since its hints may lie there already.
        }
    }
}
