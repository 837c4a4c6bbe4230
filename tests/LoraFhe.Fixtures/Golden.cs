using System.Text.Json;
using LoraFhe.Safetensors;

namespace LoraFhe.Fixtures;

/// <summary>A recorded case below <c>tests/fixtures</c>: a folder of tensors and expected values that the real libraries made.</summary>
/// <remarks>Files are opened when they are first asked for, and closed with the case.</remarks>
public sealed class Golden : IDisposable
{
    private readonly Dictionary<string, SafetensorsFile> _files = new(StringComparer.Ordinal);
    private GoldenJson? _expected;

    private Golden(string folder) => Folder = folder;

    /// <summary>The case's folder.</summary>
    public string Folder { get; }

    /// <summary>The case's <c>expected.json</c>.</summary>
    public GoldenJson Expected => _expected ??= Json("expected.json");

    /// <summary>The absolute tolerance that <c>expected.json</c> states.</summary>
    public double Tolerance => Expected["tolerance_abs"].AsDouble;

    /// <summary>Opens a case, for example <c>models/llama-gqa</c>.</summary>
    /// <param name="name">The folder's path below <c>tests/fixtures</c>.</param>
    public static Golden Open(string name)
    {
        string folder = RepositoryFolder.Fixture(name.Split('/'));
        return Directory.Exists(folder) ? new Golden(folder) : throw new DirectoryNotFoundException($"There is no recorded case '{name}'.");
    }

    /// <summary>Opens a case that lies elsewhere.</summary>
    public static Golden OpenFolder(string folder) =>
        Directory.Exists(folder) ? new Golden(folder) : throw new DirectoryNotFoundException($"There is no recorded case in '{folder}'.");

    /// <summary>The path of one of the case's files.</summary>
    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>One of the case's JSON files.</summary>
    public GoldenJson Json(string name)
    {
        using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllBytes(File(name)));
        return new GoldenJson(document.RootElement.Clone());
    }

    /// <summary>One of the case's safetensors files; closed with the case.</summary>
    /// <param name="name">The file's name, <c>.safetensors</c> included or not.</param>
    public SafetensorsFile Tensors(string name)
    {
        string full = name.EndsWith(".safetensors", StringComparison.Ordinal) ? name : name + ".safetensors";
        if (!_files.TryGetValue(full, out SafetensorsFile? file))
        {
            file = SafetensorsFile.Open(File(full));
            _files.Add(full, file);
        }

        return file;
    }

    /// <summary>A float tensor as single precision, from a file of the case.</summary>
    public GoldenTensor<float> Singles(string file, string tensor) =>
        new(tensor, [.. Tensors(file).Entry(tensor).Shape], Tensors(file).ReadSingles(tensor));

    /// <summary>A float tensor as double precision, from a file of the case.</summary>
    public GoldenTensor<double> Doubles(string file, string tensor) =>
        new(tensor, [.. Tensors(file).Entry(tensor).Shape], Tensors(file).ReadDoubles(tensor));

    /// <summary>An integer or boolean tensor as 64-bit integers, from a file of the case.</summary>
    public GoldenTensor<long> Int64s(string file, string tensor) =>
        new(tensor, [.. Tensors(file).Entry(tensor).Shape], Tensors(file).ReadInt64s(tensor));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files.Values)
        {
            file.Dispose();
        }

        _files.Clear();
    }
}
