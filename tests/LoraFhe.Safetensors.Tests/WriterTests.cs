using System.Text;
using LoraFhe.Fixtures;

namespace LoraFhe.Safetensors.Tests;

/// <summary>The writer against the bytes that the reference library writes, and its promise that a file is written whole or not at all.</summary>
public sealed class WriterTests
{
    public static TheoryData<string> Files()
    {
        using Golden golden = Golden.Open("safetensors/valid");
        return [.. golden.Json("writer.json")["files"].Members.Select(member => member.Name)];
    }

    [Fact]
    public void The_reference_library_wrote_five_of_the_files_by_itself() => Assert.Equal(5, Files().Count);

    [Theory]
    [MemberData(nameof(Files))]
    public void The_file_is_the_one_the_reference_library_writes(string name)
    {
        using Golden golden = Golden.Open("safetensors/valid");
        using var folder = new TemporaryFolder();
        SafetensorsFile source = golden.Tensors(name);
        GoldenJson metadata = golden.Expected["files"][name]["metadata"];

        SafetensorsWriter.Write(folder.At("written.safetensors"), Tensors(source).Reverse(), metadata.IsNull ? null : source.Metadata);

        byte[] expected = File.ReadAllBytes(golden.File(name + ".safetensors"));
        byte[] written = File.ReadAllBytes(folder.At("written.safetensors"));
        GoldenJson header = golden.Json("writer.json")["files"][name];
        Assert.Equal(header["size"].AsInt32, written.Length);
        if (source.Metadata.Count > 1)
        {
            // The reference library's order of several metadata keys changes from run to run; ours is sorted. All else is equal.
            Assert.Equal(expected.Order(), written.Order());
            Assert.Contains("\"__metadata__\":{\"format\":\"pt\",\"note\":\"\",\"number-as-string\":\"3\",\"unicode\":", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(expected, written);
            Assert.Equal(header["header_text"].AsString, Encoding.UTF8.GetString(written, sizeof(ulong), header["header_text"].AsString.Length));
        }
    }

    [Fact]
    public void Names_are_ordered_by_their_utf8_bytes()
    {
        using var folder = new TemporaryFolder();
        string[] names = ["\U0001F422", "\uFF21", "é", "z"];

        SafetensorsWriter.Write(folder.At("a.safetensors"), names.Select(name => SafetensorsTensor.FromSingles(name, [1], [1f])));

        using SafetensorsFile file = SafetensorsFile.Open(folder.At("a.safetensors"));
        Assert.Equal(["z", "é", "\uFF21", "\U0001F422"], file.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_no_other()
    {
        using var folder = new TemporaryFolder();
        string path = folder.At("a.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("old", [1], [1f])]);
        byte[] before = File.ReadAllBytes(path);

        var faulty = new SafetensorsTensor("new", SafetensorsDType.U8, [3], new FaultyMemory(3).Memory);
        Assert.Throws<IOException>(() => SafetensorsWriter.Write(path, [faulty]));

        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void An_open_file_keeps_its_content_when_it_is_replaced()
    {
        using var folder = new TemporaryFolder();
        string path = folder.At("a.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("x", [2], [1f, 2f])]);
        using SafetensorsFile old = SafetensorsFile.Open(path);

        SafetensorsWriter.Write(path, [SafetensorsTensor.FromInt64s("y", [], [7])]);

        Assert.Equal([1f, 2f], old.ReadSingles("x"));
        using SafetensorsFile replaced = SafetensorsFile.Open(path);
        Assert.Equal([7L], replaced.ReadInt64s("y"));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("__metadata__", 1, 4)]
    [InlineData("x", 2, 4)]
    [InlineData("x", 0, 4)]
    [InlineData("x", -1, 4)]
    [InlineData("x", long.MaxValue, 4)]
    public void A_tensor_that_cannot_be_written_is_refused(string name, long dimension, int bytes)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(
            folder.At("a.safetensors"), [new SafetensorsTensor(name, SafetensorsDType.F32, [dimension], new byte[bytes])]));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        using var folder = new TemporaryFolder();
        SafetensorsTensor[] tensors = [SafetensorsTensor.FromSingles("half \ud83d pair", [1], [1f])];
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.At("a.safetensors"), tensors));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.At("a.safetensors"), [], new Dictionary<string, string> { ["k"] = "\udc22" }));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_name_given_twice_is_refused()
    {
        using var folder = new TemporaryFolder();
        SafetensorsTensor tensor = SafetensorsTensor.FromSingles("x", [1], [1f]);
        Assert.Contains("'x'", Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.At("a.safetensors"), [tensor, tensor])).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<SafetensorsTensor> Tensors(SafetensorsFile file) =>
        file.Entries.Select(entry => new SafetensorsTensor(entry.Name, entry.DType, entry.Shape, file.Bytes(entry.Name).ToArray()));
}
