using LoraFhe.Fixtures;

namespace LoraFhe.Tests;

/// <summary>The recorded adapters, found by their folders, so that none is left out.</summary>
internal static class RecordedAdapters
{
    /// <summary>All of them.</summary>
    public static string[] All { get; } =
        [.. Directory.EnumerateDirectories(RepositoryFolder.Fixture("adapters")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    /// <summary>All but those with DoRA.</summary>
    public static string[] Served { get; } = [.. All.Where(name => !UsesDora(name))];

    private static bool UsesDora(string name)
    {
        using var golden = Golden.Open($"adapters/{name}");
        return golden.Json("adapter_config.json") is var config && config.Has("use_dora") && config["use_dora"].AsBoolean;
    }
}
