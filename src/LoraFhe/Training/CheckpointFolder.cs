using System.Globalization;
using System.Text.RegularExpressions;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>A folder of checkpoints: <c>checkpoint_epoch_3.safetensors</c> after epoch 3, <c>checkpoint_epoch_3_step_45.safetensors</c> in the
/// midst of epoch 4.</summary>
internal static partial class CheckpointFolder
{
    /// <summary>Makes a trainer's folder, and removes what a process that was killed while it wrote left there.</summary>
    /// <param name="folder">The folder; null for none.</param>
    /// <exception cref="IOException">It cannot be made; the text names it.</exception>
    public static void Prepare(string? folder)
    {
        if (folder is null)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.RemoveAbandoned(folder, "checkpoint_epoch_*.safetensors");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException(Errors.FolderUnusable("checkpointDir", folder, exception.Message), exception);
        }
    }

    /// <summary>The file a position is saved to.</summary>
    public static string PathOf(string folder, TrainingPosition position) => Path.Combine(folder, position.EpochStep == 0
        ? string.Create(CultureInfo.InvariantCulture, $"checkpoint_epoch_{position.Epoch}.safetensors")
        : string.Create(CultureInfo.InvariantCulture, $"checkpoint_epoch_{position.Epoch}_step_{position.GlobalStep}.safetensors"));

    /// <summary>The checkpoint that is furthest on, by its numbers; null if there is none. Temporary files of a write that was cut off do not count.</summary>
    public static string? Newest(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        return Numbered(folder).OrderBy(file => file.Epoch).ThenBy(file => file.Step).Select(file => file.Path).LastOrDefault();
    }

    /// <summary>
    /// Renames the checkpoints with higher numbers than the one that was just saved: another run's, which the next Compile would take for this
    /// one's. Their names end in <c>.previous</c> from then on; nothing is deleted but what had that name.
    /// </summary>
    /// <returns>The files that were renamed, by their old names.</returns>
    public static IReadOnlyList<string> SetAsideAfter(string folder, string saved)
    {
        var (_, epoch, step) = Numbered(folder).Single(file => Path.GetFileName(file.Path) == Path.GetFileName(saved));
        var later = Numbered(folder).Where(file => (file.Epoch, file.Step).CompareTo((epoch, step)) > 0).Select(file => file.Path).ToList();
        later.ForEach(path => File.Move(path, path + ".previous", overwrite: true));
        return later;
    }

    /// <summary>Epochs and batches that a file's name gives; no batches for the end of an epoch.</summary>
    public static (long Epoch, long? Step) PositionOf(string path)
    {
        var match = Name().Match(Path.GetFileName(path));
        return (Number(match, "epoch"), match.Groups["step"].Success ? Number(match, "step") : null);
    }

    private static IEnumerable<(string Path, long Epoch, long Step)> Numbered(string folder) => Directory.EnumerateFiles(folder)
        .Select(path => (Path: path, Match: Name().Match(System.IO.Path.GetFileName(path))))
        .Where(file => file.Match.Success)
        .Select(file => (file.Path, Number(file.Match, "epoch"), Number(file.Match, "step")));

    // An epoch's own checkpoint has no step: it comes before those of the epoch after it.
    private static long Number(Match match, string group) =>
        match.Groups[group].Success ? long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : -1;

    [GeneratedRegex(@"^checkpoint_epoch_(?<epoch>[0-9]{1,18})(_step_(?<step>[0-9]{1,18}))?\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
