using System.Globalization;
using System.Runtime.InteropServices;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Writes a hybrid model's two halves, each to its own folder.</summary>
internal static class PrivateInfo
{
    private const string ClientFolder = "client";
    private const string ServerFolder = "server";
    private const string PrivateModule = ".private_module.";

    /// <summary>Writes <c>client/model.safetensors</c> and <c>server/frozen_layers.safetensors</c>.</summary>
    public static void Write(string path, nn.Module model, IReadOnlyList<RemoteModule> modules, IReadOnlyList<FheLayer> layers)
    {
        var client = Directory.CreateDirectory(Path.Combine(path, ClientFolder)).FullName;
        var server = Directory.CreateDirectory(Path.Combine(path, ServerFolder)).FullName;
        SafetensorsWriter.Write(Path.Combine(client, "model.safetensors"), ClientTensors(model, modules), new Dictionary<string, string> { ["format"] = "pt" });
        SafetensorsWriter.Write(Path.Combine(server, "frozen_layers.safetensors"), ServerTensors(layers), ServerMetadata(layers));
    }

    // Everything but the frozen weights: adapters, embeddings, norms, heads, and the biases, which are added in clear.
    private static List<SafetensorsTensor> ClientTensors(nn.Module model, IReadOnlyList<RemoteModule> modules)
    {
        using var scope = NewDisposeScope();
        var frozen = modules.Select(module => FrozenLinear.Of(module.PrivateModule)!.Weight.Weight.Handle).ToHashSet();
        var tensors = new List<SafetensorsTensor>();
        foreach (var (name, value) in Named(model).Where(entry => !frozen.Contains(entry.Value.Handle)))
        {
            tensors.Add(StoredTensor.Of(name.Replace(PrivateModule, ".", StringComparison.Ordinal), value));
        }

        return tensors;
    }

    private static IEnumerable<(string Name, Tensor Value)> Named(nn.Module model) =>
        model.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter))
            .Concat(model.named_buffers().Select(entry => (entry.name, entry.buffer)));

    private static IEnumerable<SafetensorsTensor> ServerTensors(IReadOnlyList<FheLayer> layers)
    {
        foreach (var weights in layers.Select(layer => layer.Weights))
        {
            yield return new SafetensorsTensor(
                weights.Name + ".codes", SafetensorsDType.I16, [weights.OutFeatures, weights.InFeatures], MemoryMarshal.AsBytes(weights.Codes).ToArray());
            yield return SafetensorsTensor.FromSingles(weights.Name + ".scales", [weights.OutFeatures], weights.Scales);
        }
    }

    private static Dictionary<string, string> ServerMetadata(IReadOnlyList<FheLayer> layers)
    {
        var metadata = layers.ToDictionary(
            layer => layer.Weights.Name + ".bits", layer => layer.Weights.Bits.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal);
        metadata["model_id"] = layers.Count == 0 ? "" : layers[0].Weights.ModelId;
        return metadata;
    }
}
