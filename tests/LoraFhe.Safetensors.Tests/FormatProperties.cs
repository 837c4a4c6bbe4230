using CsCheck;
using LoraFhe.Fixtures;

namespace LoraFhe.Safetensors.Tests;

/// <summary>What holds for every file, drawn at random; a failure prints its seed.</summary>
public sealed class FormatProperties
{
    private static readonly Gen<SafetensorsTensor> GenTensor =
        from name in Gen.String[Gen.OneOf(Gen.Char['\u0000', '\u00ff'], Gen.Char['\ue000', '\uffff']), 0, 12]
        from dtype in Gen.Enum<SafetensorsDType>().Where(dtype => dtype.BitsPerElement() >= 8)
        from shape in Gen.Long[0, 4].Array[0, 4]
        from data in Gen.Byte.Array[(int)shape.Aggregate(dtype.BitsPerElement() / 8L, (product, dimension) => product * dimension)]
        select new SafetensorsTensor(name, dtype, shape, data);

    [Fact]
    public void What_is_written_is_read_back()
    {
        Gen.Select(
            GenTensor.Array[0, 8].Select(tensors => tensors.DistinctBy(tensor => tensor.Name).Where(tensor => tensor.Name != "__metadata__").ToArray()),
            Gen.Dictionary(Gen.String[Gen.Char['\u0000', '\u00ff'], 0, 6], Gen.String[Gen.Char['\u0000', '\u00ff'], 0, 6])[0, 4]).Sample(
            (tensors, metadata) =>
            {
                using var folder = new TemporaryFolder();
                SafetensorsWriter.Write(folder.At("x"), tensors, metadata);
                using SafetensorsFile file = SafetensorsFile.Open(folder.At("x"));
                Assert.Equal(0, (8 + file.HeaderLength) % 8);
                Assert.Equal(tensors.Length, file.Entries.Count);
                Assert.Equal(metadata, file.Metadata);
                foreach (SafetensorsTensor tensor in tensors)
                {
                    Assert.Equal(tensor.DType, file.Entry(tensor.Name).DType);
                    Assert.Equal(tensor.Shape, file.Entry(tensor.Name).Shape);
                    Assert.True(tensor.Data.Span.SequenceEqual(file.Bytes(tensor.Name)));
                }
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void A_mutated_file_is_read_or_refused_as_bad_data_and_nothing_else()
    {
        byte[][] originals =
        [
            .. new[] { "mixed-dtypes", "metadata", "unicode-names", "empty-tensors", "whitespace-json" }
                .Select(name => File.ReadAllBytes(RepositoryFolder.Fixture("safetensors", "valid", name + ".safetensors"))),
        ];
        int refused = 0;
        Gen<(double Place, int Kind, byte Value)> change = Gen.Select(Gen.Double[0, 1], Gen.Int[0, 4], Gen.Byte);
        Gen.Select(Gen.OneOfConst(originals), change.Array[1, 5]).Sample(
            (original, changes) =>
            {
                byte[] bytes = changes.Aggregate(original, Mutate);
                using var folder = new TemporaryFolder();
                File.WriteAllBytes(folder.At("x"), bytes);
                try
                {
                    using SafetensorsFile file = SafetensorsFile.Open(folder.At("x"));
                    foreach (SafetensorsEntry entry in file.Entries)
                    {
                        Assert.Equal(entry.ByteLength, file.Bytes(entry.Name).Length);
                    }
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            },
            iter: 3000,
            threads: 1);
        Assert.InRange(refused, 1, 2999);
    }

    private static byte[] Mutate(byte[] bytes, (double Place, int Kind, byte Value) change)
    {
        int at = Math.Min((int)(change.Place * bytes.Length), bytes.Length - 1);
        return change.Kind switch
        {
            _ when bytes.Length == 0 => bytes,
            0 => [.. bytes[..at], change.Value, .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], (byte)(bytes[at] ^ (1 << (change.Value % 8))), .. bytes[(at + 1)..]],
            2 => [.. bytes[..at], .. bytes[(at + 1)..]],
            3 => [.. bytes[..at], change.Value, .. bytes[at..]],
            _ => bytes[..at],
        };
    }
}
