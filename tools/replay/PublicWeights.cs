using System.Buffers.Binary;
using System.Text.Json;

namespace LoraFhe.Tools.Replay;

/// <summary>Public weights of a Hugging Face folder, quantised by the rule of docs/scheme.md.</summary>
internal sealed class PublicWeights(string folder)
{
    public int[][] Quantize(string tensor, int bits)
    {
        var (values, rows, columns) = Read(tensor);
        var most = (1 << (bits - 1)) - 1;
        var codes = new int[rows][];
        for (var o = 0; o < rows; o++)
        {
            var row = values.AsSpan(o * columns, columns).ToArray();
            var largest = row.Max(v => Math.Abs((double)v));
            var scale = largest == 0 ? 1f : (float)(largest / most);
            codes[o] = [.. row.Select(v => (int)Math.Round(v / (double)scale, MidpointRounding.ToEven))];
        }

        return codes;
    }

    private (float[] Values, int Rows, int Columns) Read(string tensor)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(file);
            var length = new byte[8];
            stream.ReadExactly(length);
            var header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
            stream.ReadExactly(header);
            using var json = JsonDocument.Parse(header);
            if (!json.RootElement.TryGetProperty(tensor, out var entry))
            {
                continue;
            }

            var shape = entry.GetProperty("shape").EnumerateArray().Select(s => s.GetInt32()).ToArray();
            var begin = entry.GetProperty("data_offsets")[0].GetInt64();
            var data = new byte[entry.GetProperty("data_offsets")[1].GetInt64() - begin];
            stream.Position = 8 + header.Length + begin;
            stream.ReadExactly(data);
            return (Singles(data, entry.GetProperty("dtype").GetString()!), shape[0], shape[1]);
        }

        throw new InvalidDataException($"no *.safetensors of '{folder}' holds '{tensor}'");
    }

    private static float[] Singles(byte[] data, string type)
    {
        var size = type == "F32" ? 4 : 2;
        var values = new float[data.Length / size];
        for (var i = 0; i < values.Length; i++)
        {
            var bytes = data.AsSpan(i * size);
            values[i] = type switch
            {
                "F32" => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
                "BF16" => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
                _ => throw new InvalidDataException($"weights of type {type} are not read here"),
            };
        }

        return values;
    }
}
