using System.Security.Cryptography;
using System.Text;

namespace LoraFhe.Cryptography.Client;

/// <summary>Where a data owner's hints are kept: a folder of hint files, mapped when used, or memory.</summary>
/// <remarks>Safe for use by several threads, and a folder by several processes: files appear whole. A file that was made for other weights is refused, never replaced silently.</remarks>
public sealed class HintStore
{
    private readonly string? _folder;

    /// <summary>Opens a store; removes what a crashed writer left in its folder.</summary>
    /// <param name="folder">The folder, made if it does not exist; null to keep hints in memory.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public HintStore(string? folder)
    {
        _folder = folder;
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            RemoveAbandoned(folder);
        }
    }

    /// <summary>The folder; null for memory.</summary>
    public string? Folder => _folder;

    /// <summary>The file of one product's hint; null for memory.</summary>
    public string? PathOf(LayerId layer) => _folder is null ? null : Path.Combine(_folder, FileName(layer));

    /// <summary>Maps a product's hint, or makes and keeps it.</summary>
    /// <param name="layer">The frozen layer.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="a">The public matrix, at least as many rows as the product has inputs.</param>
    /// <param name="maxThreads">Threads to use; 0 for all.</param>
    /// <param name="cancellationToken">Stops the work; nothing is left behind.</param>
    /// <returns>The hint, bound to the layer and the matrix's seed. The caller disposes it.</returns>
    /// <exception cref="ArgumentException"><paramref name="a"/> has too few rows.</exception>
    /// <exception cref="InvalidDataException">The folder's file was made for other weights, or is damaged; the text names it and the cure.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public Hint GetOrMake(QuantizedLayer layer, LayerDirection direction, PublicMatrix a, int maxThreads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(a);
        if (PathOf(new LayerId(layer.Name, direction)) is not { } path)
        {
            return Hint.Make(layer, direction, a, maxThreads, cancellationToken);
        }

        if (!File.Exists(path))
        {
            using var made = Hint.Make(layer, direction, a, maxThreads, cancellationToken);
            HintFile.Write(path, made);
        }

        return HintFile.Open(path, layer, direction, a.Seed);
    }

    /// <summary>A name people can read, with a few digits of a hash where the layer's name has characters a file's cannot have.</summary>
    private static string FileName(LayerId layer)
    {
        var plain = string.Concat(layer.Name.Select(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));
        var direction = layer.Direction == LayerDirection.Forward ? "forward" : "backward";
        if (plain != layer.Name || plain.Length is 0 or > 100)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(layer.Name)).AsSpan(0, 6));
            plain = $"{plain[..Math.Min(plain.Length, 100)]}-{hash}";
        }

        return $"{plain}.{direction}{HintFile.Extension}";
    }

    private static void RemoveAbandoned(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, $"*{HintFile.TemporaryExtension}"))
        {
            try
            {
                // A living writer holds its file exclusively; opening it fails and it is left alone.
                using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            }
            catch (IOException)
            {
                continue;
            }
            catch (UnauthorizedAccessException)
            {
                continue;
            }
        }
    }
}
