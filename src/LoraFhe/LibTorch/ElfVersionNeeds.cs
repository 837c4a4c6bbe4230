using System.Buffers.Binary;
using System.Text;

namespace LoraFhe;

/// <summary>The symbol versions that an ELF64 little-endian shared object asks of others (section <c>.gnu.version_r</c>).</summary>
/// <remarks>Source: the Linux Standard Base, "Symbol Versioning": Elfxx_Verneed and Elfxx_Vernaux.</remarks>
internal static class ElfVersionNeeds
{
    private const int SectionTypeVersionNeeds = 0x6ffffffe;
    private const ushort FlagWeak = 2;
    private const int SectionHeaderSize = 64;

    /// <summary>Marks a required version weak, so that the loader goes on without it.</summary>
    /// <param name="image">The whole file; changed in place.</param>
    /// <param name="version">The version's name, such as <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>Whether the file asks for it.</returns>
    public static bool MarkWeak(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            return false;
        }

        try
        {
            return MarkWeakCore(image, Encoding.ASCII.GetBytes(version));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            // A header that points outside the file: not one we know how to change.
            return false;
        }
    }

    private static bool MarkWeakCore(Span<byte> image, ReadOnlySpan<byte> version)
    {
        var sections = checked((int)BinaryPrimitives.ReadInt64LittleEndian(image[0x28..]));
        var count = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3c..]);
        for (var i = 0; i < count; i++)
        {
            var header = image.Slice(sections + (i * SectionHeaderSize), SectionHeaderSize);
            if (BinaryPrimitives.ReadInt32LittleEndian(header[4..]) == SectionTypeVersionNeeds)
            {
                var linked = BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]);
                var names = Section(image, image.Slice(sections + (linked * SectionHeaderSize), SectionHeaderSize));
                return MarkWeakIn(Section(image, header), names, version);
            }
        }

        return false;
    }

    private static Span<byte> Section(Span<byte> image, ReadOnlySpan<byte> header) => image.Slice(
        checked((int)BinaryPrimitives.ReadInt64LittleEndian(header[0x18..])), checked((int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..])));

    private static bool MarkWeakIn(Span<byte> needs, ReadOnlySpan<byte> names, ReadOnlySpan<byte> version)
    {
        var found = false;
        for (var need = 0; ;)
        {
            var entries = BinaryPrimitives.ReadUInt16LittleEndian(needs[(need + 2)..]);
            var entry = need + BinaryPrimitives.ReadInt32LittleEndian(needs[(need + 8)..]);
            for (var i = 0; i < entries; i++)
            {
                var name = names[BinaryPrimitives.ReadInt32LittleEndian(needs[(entry + 8)..])..];
                if (name.StartsWith(version) && name[version.Length] == 0)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(needs[(entry + 4)..], FlagWeak);
                    found = true;
                }

                entry += BinaryPrimitives.ReadInt32LittleEndian(needs[(entry + 12)..]);
            }

            var next = BinaryPrimitives.ReadInt32LittleEndian(needs[(need + 12)..]);
            if (next <= 0)
            {
                return found;
            }

            need += next;
        }
    }
}
