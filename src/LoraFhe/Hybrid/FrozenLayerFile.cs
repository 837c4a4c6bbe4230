using System.Globalization;
using System.Runtime.InteropServices;
using LoraFhe.Cryptography;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>The integers of a model's frozen layers on disk: what the holder of the weights gets, <c>server/frozen_layers.safetensors</c>.</summary>
/// <remarks>
/// For each layer <c>name.codes</c>, int16 [out, in], and <c>name.scales</c>, float32 [out]; the header gives <c>name.bits</c>, the model's
/// name, a format and a version. Nothing in it is private.
/// </remarks>
public static class FrozenLayerFile
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = "frozen_layers.safetensors";

    private const string Format = "lorafhe-frozen-layers";
    private const int Version = 1;
    private const string FormatKey = "format";
    private const string VersionKey = "version";
    private const string ModelIdKey = "model_id";
    private const string Codes = ".codes";
    private const string Scales = ".scales";
    private const string Bits = ".bits";

    /// <summary>Reads the layers that <see cref="HybridFheModel.SaveAndClearPrivateInfo"/> wrote, and checks all of them.</summary>
    /// <param name="folder">The server's folder.</param>
    /// <returns>The layers, by name.</returns>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, none of this kind or of a later version, or a tensor is missing, unknown, or of another type,
    /// shape or range; the text names file and tensor.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<QuantizedLayer> Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var file = DeploymentFile.Open(folder, FileName);
        CheckVersion(file.Metadata);
        var modelId = file.Metadata.GetValueOrDefault(ModelIdKey);
        if (string.IsNullOrEmpty(modelId))
        {
            throw new InvalidDataException(Errors.InFile(FileName, Errors.KeyMissing(ModelIdKey)));
        }

        var names = file.Entries.Select(entry => entry.Name).Where(IsCodes).Select(LayerOf).Order(StringComparer.Ordinal).ToList();
        CheckNothingElse(file, names);
        return [.. names.Select(name => ReadLayer(file, modelId, name))];
    }

    /// <summary>Writes the layers at once or not at all.</summary>
    internal static void Write(string folder, IEnumerable<QuantizedLayer> layers)
    {
        var all = layers.ToList();
        var metadata = all.ToDictionary(layer => layer.Name + Bits, layer => layer.Bits.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal);
        metadata[FormatKey] = Format;
        metadata[VersionKey] = Version.ToString(CultureInfo.InvariantCulture);
        metadata[ModelIdKey] = all.FirstOrDefault()?.ModelId ?? "none";
        SafetensorsWriter.Write(Path.Combine(folder, FileName), all.SelectMany(Tensors), metadata);
    }

    private static IEnumerable<SafetensorsTensor> Tensors(QuantizedLayer layer) =>
    [
        new(layer.Name + Codes, SafetensorsDType.I16, [layer.OutFeatures, layer.InFeatures], MemoryMarshal.AsBytes(layer.Codes).ToArray()),
        SafetensorsTensor.FromSingles(layer.Name + Scales, [layer.OutFeatures], layer.Scales),
    ];

    private static bool IsCodes(string tensor) => tensor.EndsWith(Codes, StringComparison.Ordinal);

    private static string LayerOf(string tensor) => tensor[..^Codes.Length];

    private static void CheckVersion(IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.GetValueOrDefault(FormatKey) != Format
            || !int.TryParse(metadata.GetValueOrDefault(VersionKey), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            throw new InvalidDataException(Errors.NotFrozenLayers(FileName));
        }

        if (version > Version)
        {
            throw new InvalidDataException(Errors.FrozenLayersNewer(FileName, version, Version));
        }
    }

    private static void CheckNothingElse(SafetensorsFile file, List<string> names)
    {
        var tensors = names.SelectMany(name => new[] { name + Codes, name + Scales }).ToHashSet(StringComparer.Ordinal);
        if (file.Entries.FirstOrDefault(entry => !tensors.Contains(entry.Name)) is { } unknown)
        {
            throw new InvalidDataException(Errors.UnknownFrozenTensor(FileName, unknown.Name));
        }

        var keys = names.Select(name => name + Bits).Concat([FormatKey, VersionKey, ModelIdKey]).ToHashSet(StringComparer.Ordinal);
        if (file.Metadata.Keys.FirstOrDefault(key => !keys.Contains(key)) is { } stray)
        {
            throw new InvalidDataException(Errors.UnknownFrozenKey(FileName, stray));
        }
    }

    private static QuantizedLayer ReadLayer(SafetensorsFile file, string modelId, string name)
    {
        var codes = file.Entry(name + Codes);
        var scales = file.Entry(name + Scales);
        if (codes.DType != SafetensorsDType.I16 || codes.Shape.Count != 2 || codes.Shape.Any(size => size is < 1 or > int.MaxValue))
        {
            throw new InvalidDataException(Errors.FrozenTensorForm(FileName, codes.Name, "int16 [out, in]"));
        }

        if (scales.DType != SafetensorsDType.F32 || !scales.Shape.SequenceEqual([codes.Shape[0]]))
        {
            throw new InvalidDataException(Errors.FrozenTensorForm(FileName, scales.Name, $"float32 [{codes.Shape[0]}]"));
        }

        if (!int.TryParse(file.Metadata.GetValueOrDefault(name + Bits), NumberStyles.None, CultureInfo.InvariantCulture, out var bits))
        {
            throw new InvalidDataException(Errors.InFile(FileName, Errors.KeyMissing(name + Bits)));
        }

        // The bytes are aligned once they are copied.
        var integers = MemoryMarshal.Cast<byte, short>(file.Bytes(codes.Name).ToArray()).ToArray();
        try
        {
            return QuantizedLayer.Create(modelId, name, bits, (int)codes.Shape[0], (int)codes.Shape[1], integers, file.ReadSingles(scales.Name));
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(Errors.InFile(FileName, exception.Message), exception);
        }
    }
}
