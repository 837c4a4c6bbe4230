namespace LoraFhe.Safetensors;

/// <summary>Writes a file at once or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes to a temporary name in the same folder, flushes it to disk and renames it; the temporary file is gone after a failure.
    /// </summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="overwrite">Whether a file of that name is replaced; false: it stays, and an exception is thrown.</param>
    /// <exception cref="IOException">The file cannot be written, or is there already and is not to be replaced.</exception>
    public static void Write(string path, Action<Stream> write, bool overwrite = true)
    {
        string full = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
