using System.Text.Json;
using System.Text.Json.Serialization;
using LoraFhe.Samples.FineTuneText;

namespace LoraFhe.Tools.Soak;

/// <summary>Where the results of a subject lie. What is there already is not computed again.</summary>
internal sealed class ResultFolder
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        RespectRequiredConstructorParameters = true,
    };

    private readonly string _folder;

    public ResultFolder(string root, string subject)
    {
        _folder = Path.Combine(root, subject);
        Directory.CreateDirectory(_folder);
    }

    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Reads a result; makes and writes it if there is none that will do.</summary>
    /// <param name="name">The file, without its ending.</param>
    /// <param name="willDo">Whether one that was written earlier is what is asked for.</param>
    /// <param name="make">Computes it.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public T Get<T>(string name, Predicate<T> willDo, Func<T> make)
        where T : class
    {
        var path = At(name + ".json");
        if (File.Exists(path) && Read<T>(path) is var known && willDo(known))
        {
            return known;
        }

        var made = make();
        WholeFile.Write(path, JsonSerializer.Serialize(made, Json) + "\n");
        return made;
    }

    private static T Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Json) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is no result of this program ({e.Message}). Delete it to have it made again.", e);
        }
    }
}
