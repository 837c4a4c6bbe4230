using System.Text.Json;
using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests;

/// <summary>One recorded case, as far as choosing it goes.</summary>
/// <param name="Name">Its name in its family.</param>
/// <param name="File">The JSON file that it is in.</param>
/// <param name="Expected">What was recorded of it, read when it is asked for.</param>
internal sealed record RecordedCase(string Name, string File, Lazy<GoldenJson> Expected)
{
    /// <summary>A case with a file of its own.</summary>
    public static RecordedCase OfFile(string name, string file) => new(name, file, new Lazy<GoldenJson>(() => Read(file)));

    /// <summary>Whether a condition of <see cref="RecordedCases.Of"/> holds.</summary>
    public bool Meets(string condition) => condition.Split('=') switch
    {
        [var key, var text] when key.EndsWith('!') => !IsText(key[..^1], text),
        [var key, var text] => IsText(key, text),
        [var file] when file.StartsWith("*.", StringComparison.Ordinal) => System.IO.File.Exists(Path.Combine(Path.GetDirectoryName(File)!, file[2..])),
        [var key] when key.StartsWith('!') => Find(key[1..]) is null,
        [var key] => Find(key) is not null,
        _ => throw new ArgumentException($"'{condition}' is no condition."),
    };

    private bool IsText(string key, string text) => Find(key) is { } found && found.Element.ToString() == text;

    private GoldenJson? Find(string path)
    {
        GoldenJson? found = Expected.Value;
        foreach (var key in path.Split('.'))
        {
            found = found is { Element.ValueKind: JsonValueKind.Object } parent && parent.Has(key) ? parent[key] : null;
        }

        return found;
    }

    private static GoldenJson Read(string file)
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(file));
        return new GoldenJson(document.RootElement.Clone());
    }
}
