using LoraFhe.Cryptography;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Writes a hybrid model's two halves, each to its own folder, and reads the client's.</summary>
internal static class PrivateInfo
{
    /// <summary>The file of the client's folder.</summary>
    public const string ClientFileName = "model.safetensors";

    private const string ClientFolder = "client";
    private const string ServerFolder = "server";
    private const string FrozenLayersKey = "frozen_layers";

    /// <summary>Writes <c>server/frozen_layers.safetensors</c> and <c>client/model.safetensors</c>; each appears, and replaces another, at once or not at all.</summary>
    /// <exception cref="IOException">One cannot be written; the text names the folder.</exception>
    public static void Write(string path, nn.Module model, IReadOnlyList<QuantizedLayer> layers)
    {
        var tensors = ClientTensors.Of(model).Select(entry => StoredTensor.Of(entry.Name, entry.Value)).ToList();
        var metadata = new Dictionary<string, string> { ["format"] = "pt", [FrozenLayersKey] = FrozenLayersHash.Of(layers) };
        try
        {
            var (client, server) = (Directory.CreateDirectory(Path.Combine(path, ClientFolder)), Directory.CreateDirectory(Path.Combine(path, ServerFolder)));

            // The client's last: what can be made again from the model is replaced before what cannot.
            FrozenLayerFile.Write(server.FullName, layers);
            SafetensorsWriter.Write(Path.Combine(client.FullName, ClientFileName), tensors, metadata);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException(Errors.DeploymentNotWritten(path, exception.Message), exception);
        }
    }

    /// <summary>Reads the client's file into a model, in place: everything is checked before anything changes.</summary>
    /// <returns>The hash of the frozen layers that belong to it.</returns>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged, none of this kind, or does not fit; the text names file and tensor.</exception>
    public static string Read(string folder, nn.Module model)
    {
        using var file = DeploymentFile.Open(folder, ClientFileName);
        var layers = file.Metadata.GetValueOrDefault(FrozenLayersKey) ?? throw new InvalidDataException(Errors.NotAClientFile(ClientFileName));
        var tensors = ClientTensors.Of(model);
        ClientTensors.Check(tensors, file);
        foreach (var (name, value) in tensors)
        {
            StoredTensor.Load(value, file.Bytes(name));
        }

        return layers;
    }
}
