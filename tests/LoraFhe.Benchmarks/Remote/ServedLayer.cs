using System.Runtime.InteropServices;
using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>A layer as it is sent to the server: public all of it.</summary>
/// <param name="Layer">Its integers.</param>
/// <param name="Direction">Which of its products.</param>
/// <param name="Seed">Of the public matrix, which requests are bound to.</param>
internal sealed record ServedLayer(QuantizedLayer Layer, LayerDirection Direction, PublicMatrixSeed Seed)
{
    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Layer.ModelId);
        writer.Write(Layer.Name);
        writer.Write(Layer.Bits);
        writer.Write(Layer.OutFeatures);
        writer.Write(Layer.InFeatures);
        writer.Write((byte)Direction);
        writer.Write(Seed.Bytes);
        writer.Write(MemoryMarshal.AsBytes(Layer.Scales));
        writer.Write(MemoryMarshal.AsBytes(Layer.Codes));
        return bytes.ToArray();
    }

    public static ServedLayer FromBytes(ReadOnlyMemory<byte> content)
    {
        using var reader = new BinaryReader(new MemoryStream(content.ToArray(), writable: false));
        var (model, name) = (reader.ReadString(), reader.ReadString());
        var (bits, outputs, inputs) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        var direction = (LayerDirection)reader.ReadByte();
        var seed = PublicMatrixSeed.FromBytes(reader.ReadBytes(PublicMatrixSeed.Size));
        var scales = MemoryMarshal.Cast<byte, float>(reader.ReadBytes(checked(outputs * sizeof(float)))).ToArray();
        var codes = MemoryMarshal.Cast<byte, short>(reader.ReadBytes(checked(outputs * inputs * sizeof(short)))).ToArray();
        return new ServedLayer(QuantizedLayer.Create(model, name, bits, outputs, inputs, codes, scales), direction, seed);
    }
}
