namespace LoraFhe.Safetensors;

/// <summary>Writes a file at once or not at all.</summary>
internal static class AtomicFile
{
    private const string TemporaryExtension = ".tmp";

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
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}{TemporaryExtension}");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite);
        }
        catch (ArgumentOutOfRangeException e) when (e.ParamName == "value")
        {
            // What the base library makes of EFBIG, which is no mistake in an argument here.
            Remove(temporary);
            throw new IOException(Errors.BeyondFileSize(full), e);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    /// <summary>Removes what processes that were killed while they wrote left in a folder. A living one holds its file, which stays.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">The names of the files that were being written, with <c>*</c> for anything.</param>
    public static void RemoveAbandoned(string folder, string pattern)
    {
        foreach (string path in Directory.EnumerateFiles(folder, $".{pattern}.*{TemporaryExtension}"))
        {
            try
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }
        }
    }

    // What failed is said by the exception under way, not by one about its remains.
    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }
}
