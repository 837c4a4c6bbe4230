using LoraFhe.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Reads and writes <c>adapter_model.safetensors</c>: the tensors of an adapter under peft's names.</summary>
internal static class AdapterFile
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes all that belongs to an adapter.</summary>
    /// <param name="model">Has the adapter.</param>
    /// <param name="adapter">Its name.</param>
    /// <param name="saveEmbeddingLayers">Whether to write what peft writes of targeted embeddings' own weights.</param>
    /// <param name="path">The file; one that is there is replaced.</param>
    public static void Save(LoraModel model, string adapter, bool saveEmbeddingLayers, string path)
    {
        var parameters = AdapterParameters.Of(model, adapter);
        if (saveEmbeddingLayers && AdapterParameters.WritesEmbeddingWeights(model.PeftConfig[adapter]))
        {
            foreach (var (key, weight) in AdapterParameters.EmbeddingWeights(model, adapter))
            {
                parameters.TryAdd(key, weight);
            }
        }

        Write(parameters.Select(entry => StoredTensor.Of(entry.Key, entry.Value)), path);
    }

    /// <summary>Writes tensors under peft's names.</summary>
    public static void Write(IEnumerable<SafetensorsTensor> tensors, string path) => SafetensorsWriter.Write(path, tensors, Metadata);

    /// <summary>Reads all of them; nothing changes unless the file fits in every name and shape. If it does, the model takes an adapter's first
    /// values out of its weights first, where that is to be done.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A tensor is missing, unknown, or of another shape or no floating-point type, or has a value that is not finite.</exception>
    public static void Load(LoraModel model, string adapter, string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(Errors.AdapterFileMissing(Path.GetFileName(path), Path.GetDirectoryName(path)), path);
        }

        using var file = SafetensorsFile.Open(path);
        var expected = AdapterParameters.Of(model, adapter);
        var optional = AdapterParameters.EmbeddingWeights(model, adapter);
        var pairs = new List<(string Key, Parameter Parameter)>();
        foreach (var entry in file.Entries)
        {
            var key = PeftNames.Canonical(entry.Name);
            if (!expected.Remove(key, out var parameter) && !optional.Remove(key, out parameter))
            {
                throw new InvalidDataException(Errors.UnknownTensor(file.FileName, entry.Name));
            }

            if (!entry.Shape.SequenceEqual(parameter.shape))
            {
                throw new InvalidDataException(Errors.TensorShape(file.FileName, entry.Name, entry.Shape, parameter.shape));
            }

            if (entry.DType is not (SafetensorsDType.F64 or SafetensorsDType.F32 or SafetensorsDType.F16 or SafetensorsDType.BF16))
            {
                throw new InvalidDataException(Errors.TensorType(file.FileName, entry.Name, entry.DType.ToString()));
            }

            pairs.Add((entry.Name, parameter));
        }

        if (expected.Count > 0)
        {
            throw new InvalidDataException(Errors.MissingTensors(file.FileName, expected.Keys));
        }

        // Attention may take what is not a number for a masked score: nothing later would tell.
        if (pairs.FirstOrDefault(pair => !IsFinite(file, pair.Key, pair.Parameter)).Key is { } damaged)
        {
            throw new InvalidDataException(Errors.TensorNotFinite(file.FileName, damaged));
        }

        model.TakeInitial();
        Copy(file, pairs);
    }

    private static bool IsFinite(SafetensorsFile file, string key, Parameter parameter) =>
        parameter.dtype == ScalarType.Float64 ? Array.TrueForAll(file.ReadDoubles(key), double.IsFinite) : RowNorms.AllFinite(file.ReadSingles(key));

    private static void Copy(SafetensorsFile file, List<(string Key, Parameter Parameter)> pairs)
    {
        using var noGradients = no_grad();
        foreach (var (key, parameter) in pairs)
        {
            using var scope = NewDisposeScope();
            var values = parameter.dtype == ScalarType.Float64
                ? tensor(file.ReadDoubles(key), parameter.shape)
                : tensor(file.ReadSingles(key), parameter.shape);
            parameter.copy_(values);
        }
    }
}
