using System.Text;
using LoraFhe.Fixtures;

namespace LoraFhe.Safetensors.Tests;

/// <summary>Every valid recorded file, read as the reference library reads it.</summary>
public sealed class ValidFileTests
{
    public static TheoryData<string> Files()
    {
        using Golden golden = Golden.Open("safetensors/valid");
        return [.. golden.Expected["files"].Members.Select(member => member.Name)];
    }

    [Fact]
    public void All_41_recorded_files_are_there_and_tested()
    {
        IEnumerable<string> files = Directory.GetFiles(RepositoryFolder.Fixture("safetensors", "valid"), "*.safetensors").Select(path => Path.GetFileNameWithoutExtension(path));
        Assert.Equal(41, Files().Count);
        Assert.Equal(files.Order(StringComparer.Ordinal), Files().Select(row => row.Data).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Header_and_bytes_are_what_the_reference_library_reads(string name)
    {
        using Golden golden = Golden.Open("safetensors/valid");
        GoldenJson expected = golden.Expected["files"][name];
        SafetensorsFile file = golden.Tensors(name);

        byte[] content = File.ReadAllBytes(golden.File(name + ".safetensors"));
        Assert.Equal(expected["size"].AsInt32, content.Length);
        Assert.Equal(expected["header_length"].AsInt32, file.HeaderLength);
        Assert.Equal(expected["header_text"].AsString, Encoding.UTF8.GetString(content, sizeof(ulong), file.HeaderLength));
        Assert.Equal(expected["keys_as_returned"].AsStrings, file.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Metadata(expected["metadata"]), file.Metadata);
        foreach ((string tensor, GoldenJson recorded) in expected["tensors"].Members)
        {
            SafetensorsEntry entry = file.Entry(tensor);
            Assert.Equal(recorded["dtype"].AsString, entry.DType.HeaderName());
            Assert.Equal(recorded["shape"].AsInt64s, entry.Shape);
            Assert.Equal(recorded["shape"].AsInt64s.Aggregate(1L, (product, dimension) => product * dimension), entry.ElementCount);
            Assert.Equal(recorded["hex"].AsString, Convert.ToHexStringLower(file.Bytes(tensor)));
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Values_are_what_the_reference_library_reads(string name)
    {
        using Golden golden = Golden.Open("safetensors/valid");
        SafetensorsFile file = golden.Tensors(name);
        foreach ((string tensor, GoldenJson recorded) in golden.Expected["files"][name]["tensors"].Members)
        {
            switch (recorded["dtype"].AsString)
            {
                case "F64":
                    Assert.Equal(Bits(recorded["values"].AsDoubles), Bits(file.ReadDoubles(tensor)));
                    Assert.Equal(Bits(recorded["values"].AsDoubles.Select(value => (double)(float)value)), Bits(file.ReadSingles(tensor).Select(value => (double)value)));
                    break;
                case "F32" or "F16" or "BF16":
                    Assert.Equal(Bits(recorded["values"].AsDoubles), Bits(file.ReadDoubles(tensor)));
                    Assert.Equal(Bits(recorded["values"].AsDoubles), Bits(file.ReadSingles(tensor).Select(value => (double)value)));
                    break;
                case "BOOL":
                    Assert.Equal(recorded["values"].Items.Select(item => item.AsBoolean ? 1L : 0L), file.ReadInt64s(tensor));
                    break;
                case "U64" when recorded["values"].Items.Any(item => !item.Element.TryGetInt64(out _)):
                    string message = Assert.Throws<InvalidDataException>(() => file.ReadInt64s(tensor)).Message;
                    Assert.Contains(file.FileName, message, StringComparison.Ordinal);
                    Assert.Contains(tensor, message, StringComparison.Ordinal);
                    break;
                case ['I' or 'U', ..]:
                    Assert.Equal(recorded["values"].AsInt64s, file.ReadInt64s(tensor));
                    break;
                default:
                    Assert.Contains("cannot be read as float32", Assert.Throws<InvalidDataException>(() => file.ReadSingles(tensor)).Message, StringComparison.Ordinal);
                    break;
            }
        }
    }

    // Zeros differ by their sign; what is not a number is one value, for only that is recorded.
    private static IEnumerable<long> Bits(IEnumerable<double> values) => values.Select(value => BitConverter.DoubleToInt64Bits(double.IsNaN(value) ? double.NaN : value));

    private static Dictionary<string, string> Metadata(GoldenJson json) =>
        json.IsNull ? [] : json.Members.ToDictionary(member => member.Name, member => member.Value.AsString, StringComparer.Ordinal);
}
