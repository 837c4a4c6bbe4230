using System.Text;

namespace LoraFhe.Safetensors;

/// <summary>The texts of all errors of this project, a method a case. Names come from files, so they are cut and cleaned before they are shown.</summary>
internal static class Errors
{
    private const int LongestName = 120;

    public static string TooShort(string file, long length) => $"{file}: {length} bytes; a safetensors file has at least 8.";

    public static string HeaderTooLarge(string file, ulong length) =>
        $"{file}: the header is said to take {length} bytes; at most {SafetensorsHeader.MaxLength} are allowed. Is this a safetensors file?";

    public static string HeaderBeyondFile(string file, ulong length, long available) =>
        $"{file}: the header is said to take {length} bytes; only {available} follow. The file is cut short or not a safetensors file.";

    public static string HeaderNotUtf8(string file) => $"{file}: the header is not valid UTF-8.";

    public static string HeaderNotJson(string file, long position) => $"{file}: the header is not valid JSON at byte {position}.";

    public static string HeaderNotObject(string file) => $"{file}: the header is not a JSON object.";

    public static string BadMetadata(string file) => $"{file}: '__metadata__' must map strings to strings and appear once.";

    public static string BadString(string file) => $"{file}: the header has a string with half a surrogate pair.";

    public static string DuplicateName(string file, string name) => $"{file}: '{Show(name)}' appears twice.";

    public static string BadEntry(string file, string name) =>
        $"{file}: '{Show(name)}' must have a dtype, a shape and data_offsets, each once.";

    public static string BadField(string file, string name, string field, string expected) =>
        $"{file}: '{Show(name)}' has a {field} that is not {expected}.";

    public static string UnknownDType(string file, string name, string dtype) =>
        $"{file}: '{Show(name)}' has the unknown dtype '{Show(dtype)}'.";

    public static string ShapeOverflows(string file, string name) => $"{file}: '{Show(name)}' has a shape whose size overflows 64 bits.";

    public static string PartOfByte(string file, string name) => $"{file}: '{Show(name)}' does not fill whole bytes.";

    public static string LengthMismatch(string file, string name, ulong begin, ulong end, ulong expected) =>
        $"{file}: '{Show(name)}' lies at [{begin}, {end}]; its shape and dtype need {expected} bytes.";

    public static string BadOffset(string file, string name, long begin, long expected) =>
        $"{file}: '{Show(name)}' begins at {begin}; expected {expected}, where the tensor before it ends.";

    public static string DataLength(string file, long found, long expected) =>
        $"{file}: {found} bytes of data; the header's tensors take {expected}.";

    public static string BeyondFileSize(string file) =>
        $"{file}: the file would be larger than the file system, or this process's limit (ulimit -f), allows.";

    public static string CutWhileOpen(string file, long found, long expected) =>
        $"{file}: {found} of {expected} bytes are left; the file was cut short while it was open. Replace files by renaming, not by writing into them.";

    public static string NoTensor(string file, string name) => $"{file}: there is no tensor '{Show(name)}'.";

    public static string NotReadableAs(string file, SafetensorsEntry entry, string what) =>
        $"{file}: '{Show(entry.Name)}' is {entry.DType.HeaderName()}; it cannot be read as {what}.";

    public static string TooLarge(string file, SafetensorsEntry entry) =>
        $"{file}: '{Show(entry.Name)}' is too large to be read at once ({entry.ByteLength} bytes).";

    public static string BeyondInt64(string file, SafetensorsEntry entry) => $"{file}: '{Show(entry.Name)}' has a value above 2^63 - 1.";

    public static string DestinationLength(SafetensorsEntry entry, int found) =>
        $"'{Show(entry.Name)}' has {entry.ElementCount} elements; the destination has {found}.";

    public static string ReservedName() => "A tensor cannot be named '__metadata__'.";

    public static string NotUtf16(string what) => $"A {what} has half a surrogate pair and cannot be written.";

    public static string DuplicateTensor(string name) => $"Two tensors are named '{Show(name)}'.";

    public static string DataDoesNotFit(string name, long found, string shape, string dtype) =>
        $"'{Show(name)}' has {found} bytes of data, which does not fit shape {shape} of {dtype}.";

    public static string WrittenHeaderTooLarge(long length) =>
        $"The header would take {length} bytes; at most {SafetensorsHeader.MaxLength} are allowed.";

    private static string Show(string name)
    {
        var text = new StringBuilder();
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (text.Length >= LongestName)
            {
                return text.Append('…').ToString();
            }

            text.Append(Rune.IsControl(rune) ? "\\u" + rune.Value.ToString("x4", null) : rune.ToString());
        }

        return text.ToString();
    }
}
