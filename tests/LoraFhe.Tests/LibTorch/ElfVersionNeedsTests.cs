using System.Text;
using CsCheck;

namespace LoraFhe.Tests;

public sealed class ElfVersionNeedsTests
{
    private const string Version = "GLIBCXX_3.4.32";

    [Fact]
    public void The_requirement_of_the_shipped_bridge_becomes_weak_and_nothing_else_changes()
    {
        var stock = Bridge();
        var patched = (byte[])stock.Clone();

        Assert.True(ElfVersionNeeds.MarkWeak(patched, Version));

        var changed = Enumerable.Range(0, stock.Length).Where(i => stock[i] != patched[i]).ToList();
        var flag = Assert.Single(changed);
        Assert.Equal(0, stock[flag]);
        Assert.Equal(2, patched[flag]);
    }

    [Fact]
    public void A_version_that_the_file_does_not_ask_for_changes_nothing()
    {
        var stock = Bridge();
        var image = (byte[])stock.Clone();

        Assert.False(ElfVersionNeeds.MarkWeak(image, "GLIBCXX_9.9.99"));
        Assert.False(ElfVersionNeeds.MarkWeak(image, Version[..^1]));
        Assert.Equal(stock, image);
    }

    [Fact]
    public void A_file_that_is_no_shared_object_is_left_alone()
    {
        Assert.False(ElfVersionNeeds.MarkWeak(Encoding.ASCII.GetBytes(new string('x', 200)), Version));
        Assert.False(ElfVersionNeeds.MarkWeak([], Version));
    }

    [Fact]
    public void Damaged_headers_never_throw()
    {
        var stock = Bridge();
        var inHeader = Gen.Int[0, 63];
        var inSections = Gen.Int[stock.Length - 4096, stock.Length - 1];
        Gen.Select(Gen.OneOf(inHeader, inSections), Gen.Byte, Gen.OneOf(Gen.Int[64, 4096], Gen.Const(stock.Length))).Sample((at, value, length) =>
        {
            var image = stock[..length];
            image[Math.Min(at, length - 1)] = value;
            ElfVersionNeeds.MarkWeak(image, Version);
        });
    }

    // The stock file, where the build put it.
    private static byte[] Bridge()
    {
        var file = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).Single();
        return File.ReadAllBytes(file);
    }
}
