namespace LoraFhe.Models;

/// <summary>A folder's <c>generation_config.json</c>, of which only the tokens that end a text are taken: how to decode is the caller's
/// choice.</summary>
internal static class GenerationConfigFile
{
    private const string FileName = "generation_config.json";

    /// <summary>The tokens that end a text; null where the file is absent or has none.</summary>
    /// <exception cref="InvalidDataException">The file is faulty.</exception>
    public static IReadOnlyList<int>? EndOfSequenceIds(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? TokenIds.Read(NamedJson.ReadFile(path), "eos_token_id") : null;
    }
}
