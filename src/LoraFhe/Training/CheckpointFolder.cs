using System.Globalization;
using System.Text.RegularExpressions;

namespace LoraFhe;

/// <summary>A folder of checkpoints: <c>checkpoint_epoch_3.safetensors</c> after epoch 3, <c>checkpoint_epoch_3_step_45.safetensors</c> in the
/// midst of epoch 4.</summary>
internal static partial class CheckpointFolder
{
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

        return Directory.EnumerateFiles(folder)
            .Select(path => (Path: path, Match: Name().Match(System.IO.Path.GetFileName(path))))
            .Where(file => file.Match.Success)
            .OrderBy(file => Number(file.Match, "epoch"))
            .ThenBy(file => Number(file.Match, "step"))
            .Select(file => file.Path)
            .LastOrDefault();
    }

    // An epoch's own checkpoint has no step: it comes before those of the epoch after it.
    private static long Number(Match match, string group) =>
        match.Groups[group].Success ? long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : -1;

    [GeneratedRegex(@"^checkpoint_epoch_(?<epoch>[0-9]{1,18})(_step_(?<step>[0-9]{1,18}))?\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
