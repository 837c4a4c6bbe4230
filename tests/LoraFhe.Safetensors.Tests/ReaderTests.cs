using LoraFhe.Fixtures;

namespace LoraFhe.Safetensors.Tests;

/// <summary>What a caller may ask of an open file.</summary>
public sealed class ReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_was_cut_short_while_it_is_open_is_an_error_and_the_process_lives()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("lorafhe-").FullName, "cut.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("w", [65536], new float[65536])]);
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            Assert.Equal(65536, file.ReadSingles("w").Length);
            using (var truncate = System.Diagnostics.Process.Start("truncate", ["-s", "4096", path]))
            {
                truncate.WaitForExit();
            }

            var error = Assert.Throws<InvalidDataException>(() => file.ReadSingles("w"));
            Assert.StartsWith("cut.safetensors: 4096 of ", error.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidDataException>(() => file.Bytes("w").Length);
        }

        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using SafetensorsFile file = Sample();
        Assert.False(file.Contains("absent"));
        Assert.False(file.TryGet("absent", out _));
        Assert.Equal("sample.safetensors: there is no tensor 'absent'.", Assert.Throws<InvalidDataException>(() => file.Entry("absent")).Message);
    }

    [Fact]
    public void A_tensor_of_another_type_is_refused_by_name()
    {
        using SafetensorsFile file = Sample();
        Assert.Equal("sample.safetensors: 'ids' is I64; it cannot be read as float32.", Assert.Throws<InvalidDataException>(() => file.ReadSingles("ids")).Message);
        Assert.Equal("sample.safetensors: 'ids' is I64; it cannot be read as float64.", Assert.Throws<InvalidDataException>(() => file.ReadDoubles("ids")).Message);
        Assert.Equal("sample.safetensors: 'x' is F32; it cannot be read as int64.", Assert.Throws<InvalidDataException>(() => file.ReadInt64s("x")).Message);
    }

    [Fact]
    public void A_destination_of_another_length_is_refused()
    {
        using SafetensorsFile file = Sample();
        Assert.Throws<ArgumentException>("destination", () => file.ReadSingles("x", new float[3]));
        Assert.Throws<ArgumentException>("destination", () => file.ReadSingles("x", new float[5]));
    }

    [Fact]
    public void A_closed_file_is_not_read()
    {
        SafetensorsFile file = Sample();
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.ReadSingles("x"));
        Assert.Throws<ObjectDisposedException>(() => file.Bytes("x").Length);
    }

    [Fact]
    public void A_tensor_longer_than_one_piece_is_read_whole()
    {
        float[] values = [.. Enumerable.Range(0, (1 << 20) + 3).Select(i => i * 0.5f)];
        SafetensorsWriter.Write(_folder.At("long.safetensors"), [SafetensorsTensor.FromSingles("x", [values.Length], values)]);
        using SafetensorsFile file = SafetensorsFile.Open(_folder.At("long.safetensors"));
        Assert.Equal(values, file.ReadSingles("x"));
    }

    [Fact]
    public void Every_half_and_brain_float_converts_exactly()
    {
        byte[] all = new byte[2 << 16];
        for (int i = 0; i < 1 << 16; i++)
        {
            BitConverter.TryWriteBytes(all.AsSpan(2 * i), (ushort)i);
        }

        SafetensorsWriter.Write(_folder.At("all.safetensors"), [
            new SafetensorsTensor("half", SafetensorsDType.F16, [256, 256], all), new SafetensorsTensor("brain", SafetensorsDType.BF16, [256, 256], all)]);
        using SafetensorsFile file = SafetensorsFile.Open(_folder.At("all.safetensors"));

        Assert.Equal(Enumerable.Range(0, 1 << 16).Select(i => Decode(i, exponentBits: 5)), file.ReadDoubles("half"));
        Assert.Equal(Enumerable.Range(0, 1 << 16).Select(i => Decode(i, exponentBits: 8)), file.ReadDoubles("brain"));
        Assert.Equal(file.ReadDoubles("half"), file.ReadSingles("half").Select(value => (double)value));
        Assert.Equal(file.ReadDoubles("brain"), file.ReadSingles("brain").Select(value => (double)value));
    }

    [Fact]
    public void A_name_from_a_file_is_cut_and_cleaned_in_errors()
    {
        using SafetensorsFile file = Sample();
        string message = Assert.Throws<InvalidDataException>(() => file.Entry("a\nb" + new string('n', 20_000))).Message;
        Assert.Contains("'a\\u000ab", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 100, 250);
    }

    [Fact]
    public void A_missing_file_is_an_io_error()
    {
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(_folder.At("absent.safetensors")));
    }

    // The IEEE rule by hand: sign, exponent, fraction.
    private static double Decode(int bits, int exponentBits)
    {
        int fractionBits = 15 - exponentBits;
        int bias = (1 << (exponentBits - 1)) - 1;
        int exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
        double fraction = (bits & ((1 << fractionBits) - 1)) / (double)(1 << fractionBits);
        double magnitude = exponent == (1 << exponentBits) - 1
            ? fraction == 0 ? double.PositiveInfinity : double.NaN
            : exponent == 0 ? fraction * Math.Pow(2, 1 - bias) : (1 + fraction) * Math.Pow(2, exponent - bias);
        return (bits & 0x8000) != 0 ? -magnitude : magnitude;
    }

    private SafetensorsFile Sample()
    {
        string path = _folder.At("sample.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("x", [2, 2], [1f, 2f, 3f, 4f]), SafetensorsTensor.FromInt64s("ids", [1], [5])]);
        return SafetensorsFile.Open(path);
    }
}
