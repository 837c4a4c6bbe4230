using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class FrozenLayerFileTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture(options: new HybridCompileOptions { Bits = null, ModelId = "a model" });
        var layers = hybrid.Hybrid.Layers.Select(layer => layer.Weights).OrderBy(layer => layer.Name, StringComparer.Ordinal).ToList();

        FrozenLayerFile.Write(folder.Path, layers);

        var read = FrozenLayerFile.Read(folder.Path);
        Assert.Equal(["fc1", "fc2", "fc3"], read.Select(layer => layer.Name));
        foreach (var (expected, actual) in layers.Zip(read))
        {
            Assert.Equal((expected.ModelId, expected.Bits, expected.OutFeatures, expected.InFeatures), (actual.ModelId, actual.Bits, actual.OutFeatures, actual.InFeatures));
            Assert.Equal(expected.Codes.ToArray(), actual.Codes.ToArray());
            Assert.Equal(expected.Scales.ToArray(), actual.Scales.ToArray());
        }
    }

    [Fact]
    public void A_file_that_is_not_exactly_that_is_refused_by_tensor_or_key()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using (var hybrid = new HybridFixture())
        {
            FrozenLayerFile.Write(folder.Path, hybrid.Hybrid.Layers.Select(layer => layer.Weights));
        }

        var path = folder.At(FrozenLayerFile.FileName);
        var (tensors, metadata) = ClearedModelTests.Content(path);
        var codes = tensors.Single(tensor => tensor.Name == "fc2.codes");
        var scales = tensors.Single(tensor => tensor.Name == "fc2.scales");
        var shapes = codes.Shape;

        Refused("frozen_layers.safetensors: 'fc2.scales' is no part of a frozen layer", Without(codes), metadata);
        Refused("'fc2.scales'", Without(scales), metadata);
        Refused("frozen_layers.safetensors: 'other' is no part of a frozen layer", [.. tensors, scales with { Name = "other" }], metadata);
        Refused("frozen_layers.safetensors: 'fc2.codes' must be int16 [out, in].", [.. Without(codes), codes with { DType = SafetensorsDType.BF16 }], metadata);
        Refused("frozen_layers.safetensors: 'fc2.codes' must be int16 [out, in].", [.. Without(codes), codes with { Shape = [shapes[0] * shapes[1]] }], metadata);
        Refused("frozen_layers.safetensors: 'fc2.scales' must be float32 [19].", [.. Without(scales), scales with { Shape = [19, 1] }], metadata);
        Refused("fc2", [.. Without(codes), codes with { Data = Enumerable.Repeat((byte)127, codes.Data.Length).ToArray() }], metadata);
        Refused("fc2", [.. Without(scales), scales with { Data = new byte[scales.Data.Length] }], metadata);
        Refused("frozen_layers.safetensors: 'fc2.bits' is missing.", tensors, Changed("fc2.bits", null));
        Refused("frozen_layers.safetensors: ", tensors, Changed("fc2.bits", "13"));
        Refused("frozen_layers.safetensors: 'fc2.bits' is missing.", tensors, Changed("fc2.bits", "-8"));
        Refused("frozen_layers.safetensors: the header's 'fc9.bits' belongs to no layer", tensors, Changed("fc9.bits", "8"));
        Refused("frozen_layers.safetensors: 'model_id' is missing.", tensors, Changed("model_id", ""));
        Refused("frozen_layers.safetensors holds no frozen layers", tensors, Changed("format", "pt"));
        Refused("frozen_layers.safetensors has version 2; this LoraFhe reads up to 1.", tensors, Changed("version", "2"));
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.Throws<InvalidDataException>(() => FrozenLayerFile.Read(folder.Path));
        File.Delete(path);
        Assert.Throws<FileNotFoundException>(() => FrozenLayerFile.Read(folder.Path));

        IEnumerable<SafetensorsTensor> Without(SafetensorsTensor left) => tensors.Where(tensor => tensor != left);

        Dictionary<string, string> Changed(string key, string? value)
        {
            var changed = new Dictionary<string, string>(metadata);
            changed.Remove(key);
            if (value is not null)
            {
                changed.Add(key, value);
            }

            return changed;
        }

        void Refused(string text, IEnumerable<SafetensorsTensor> changed, Dictionary<string, string> header)
        {
            SafetensorsWriter.Write(path, changed, header);
            var error = Assert.Throws<InvalidDataException>(() => FrozenLayerFile.Read(folder.Path));
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
            Assert.Contains(FrozenLayerFile.FileName, error.Message, StringComparison.Ordinal);
        }
    }
}
