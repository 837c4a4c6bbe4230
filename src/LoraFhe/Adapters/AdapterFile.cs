using LoraFhe.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Reads and writes <c>adapter_model.safetensors</c>: the tensors of an adapter under peft's names.</summary>
internal static class AdapterFile
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes all that belongs to an adapter.</summary>
    public static void Save(LoraModel model, string adapter, string path) =>
        SafetensorsWriter.Write(path, AdapterParameters.Of(model, adapter).Select(entry => StoredTensor.Of(entry.Key, entry.Value)), Metadata);

    /// <summary>Reads all of them; nothing changes unless the file fits in every name and shape.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A tensor is missing, unknown, or of another shape or no floating-point type.</exception>
    public static void Load(LoraModel model, string adapter, string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(Errors.AdapterFileMissing(Path.GetFileName(path), Path.GetDirectoryName(path)), path);
        }

        using var file = SafetensorsFile.Open(path);
        var expected = AdapterParameters.Of(model, adapter);
        var pairs = new List<(string Key, Parameter Parameter)>();
        foreach (var entry in file.Entries)
        {
            if (!expected.Remove(PeftNames.Canonical(entry.Name), out var parameter))
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

        Copy(file, pairs);
    }

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
