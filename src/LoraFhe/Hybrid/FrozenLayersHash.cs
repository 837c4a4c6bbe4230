using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>Tells one model's frozen layers from another's, so that a client's half never goes on with layers it was not trained beside.</summary>
internal static class FrozenLayersHash
{
    /// <summary>SHA-256, in hexadecimal digits, over all layers by name: model, name, bits, shape, codes and scales.</summary>
    public static string Of(IEnumerable<QuantizedLayer> layers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var layer in layers.OrderBy(layer => layer.Name, StringComparer.Ordinal))
        {
            AppendText(hash, layer.ModelId);
            AppendText(hash, layer.Name);
            AppendNumber(hash, layer.Bits);
            AppendNumber(hash, layer.OutFeatures);
            AppendNumber(hash, layer.InFeatures);
            hash.AppendData(layer.CodesHash);
            hash.AppendData(layer.ScalesHash);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The length first, so that nothing can move from one text to the next.
    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AppendNumber(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
