using LoraFhe.Fixtures;

namespace LoraFhe.Safetensors.Tests;

/// <summary>Every hostile recorded file: refused where the reference library refuses it.</summary>
public sealed class HostileFileTests
{
    // The reference library takes the later of two equal entries; a name twice is refused here whatever the entries say.
    private static readonly string[] RefusedBeyondTheReference = ["duplicate-keys-same"];

    public static TheoryData<string> Files()
    {
        using Golden golden = Golden.Open("safetensors/hostile");
        return [.. golden.Expected["files"].Members.Select(member => member.Name)];
    }

    [Fact]
    public void All_131_recorded_files_are_there_and_tested()
    {
        IEnumerable<string> files = Directory.GetFiles(RepositoryFolder.Fixture("safetensors", "hostile"), "*.safetensors").Select(path => Path.GetFileNameWithoutExtension(path));
        using Golden golden = Golden.Open("safetensors/hostile");
        Assert.Equal(131, Files().Count);
        Assert.Equal(17, golden.Expected["files"].Members.Count(member => member.Value["verdict"].AsString == "accepted"));
        Assert.Equal(files.Order(StringComparer.Ordinal), Files().Select(row => row.Data).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_verdict_is_the_recorded_one(string name)
    {
        using Golden golden = Golden.Open("safetensors/hostile");
        GoldenJson expected = golden.Expected["files"][name];
        Assert.Equal(expected["size"].AsInt64, new FileInfo(golden.File(name + ".safetensors")).Length);
        if (expected["verdict"].AsString == "rejected" || RefusedBeyondTheReference.Contains(name))
        {
            string message = Assert.Throws<InvalidDataException>(() => golden.Tensors(name)).Message;
            Assert.StartsWith($"{name}.safetensors: ", message, StringComparison.Ordinal);
            return;
        }

        SafetensorsFile file = golden.Tensors(name);
        Assert.Equal(expected["keys"].AsStrings.Order(StringComparer.Ordinal), file.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(expected["metadata"].IsNull ? [] : expected["metadata"].Members.Select(member => (member.Name, member.Value.AsString)), file.Metadata.Select(pair => (pair.Key, pair.Value)));
        foreach ((string tensor, GoldenJson recorded) in expected.Has("tensors") ? expected["tensors"].Members : [])
        {
            SafetensorsEntry entry = file.Entry(tensor);
            Assert.Equal(TorchType(entry.DType), recorded["dtype"].AsString);

            // Of four bits torch keeps two in an element.
            Assert.Equal(recorded["shape"].AsInt64s, entry.DType == SafetensorsDType.F4 ? [.. entry.Shape.SkipLast(1), entry.Shape[^1] / 2] : entry.Shape);
            Assert.Equal(entry.ByteLength, file.Bytes(tensor).Length);
        }
    }

    private static string TorchType(SafetensorsDType type) => type switch
    {
        SafetensorsDType.F32 => "torch.float32",
        SafetensorsDType.Bool => "torch.bool",
        SafetensorsDType.F4 => "torch.float4_e2m1fn_x2",
        _ => $"{type} is in no accepted file",
    };

    [Theory]
    [InlineData("hole", "'b' begins at 8; expected 4")]
    [InlineData("overlap", "'b' begins at 8; expected 12")]
    [InlineData("shape-overflow", "'a' has a shape whose size overflows 64 bits")]
    [InlineData("shape-mismatch-small", "'a' lies at [0, 16]; its shape and dtype need 12 bytes")]
    [InlineData("dtype-unknown", "'a' has the unknown dtype 'F31'")]
    [InlineData("duplicate-keys", "'a' appears twice")]
    [InlineData("missing-shape", "'a' must have a dtype, a shape and data_offsets")]
    [InlineData("offsets-negative", "'a' has a data_offsets that is not two whole numbers")]
    [InlineData("shape-float", "'a' has a shape that is not a list of whole numbers")]
    [InlineData("dtype-f4-odd", "'a' does not fill whole bytes")]
    [InlineData("length-max", "18446744073709551615 bytes; at most 100000000")]
    [InlineData("truncated-data", "15 bytes of data; the header's tensors take 16")]
    public void The_error_names_the_tensor_and_what_was_found(string name, string expected)
    {
        using Golden golden = Golden.Open("safetensors/hostile");
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => golden.Tensors(name)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_is_allocated_by_a_size_that_the_file_states(string name)
    {
        using Golden golden = Golden.Open("safetensors/hostile");
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            golden.Tensors(name);
        }
        catch (InvalidDataException)
        {
            // Refused: the point is what it cost.
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }
}
