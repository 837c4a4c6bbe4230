namespace LoraFhe.Safetensors;

/// <summary>Names and widths of the element types.</summary>
public static class SafetensorsDTypes
{
    private static readonly (string Name, int Bits)[] Table =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E5M2FNUZ", 8),
        ("F8_E4M3FNUZ", 8), ("F8_E8M0", 8), ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32),
        ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    /// <summary>The name a header gives the type, for example <c>BF16</c>.</summary>
    /// <param name="dtype">A defined type.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined type.</exception>
    public static string HeaderName(this SafetensorsDType dtype) => Row(dtype).Name;

    /// <summary>Bits an element takes: 4, 6, 8, 16, 32 or 64.</summary>
    /// <param name="dtype">A defined type.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined type.</exception>
    public static int BitsPerElement(this SafetensorsDType dtype) => Row(dtype).Bits;

    /// <summary>Reads a header's name; upper and lower case differ.</summary>
    /// <param name="name">The name, for example <c>F32</c>.</param>
    /// <param name="dtype">The type, when the name is known.</param>
    /// <returns>Whether the name is known.</returns>
    public static bool TryParse(string? name, out SafetensorsDType dtype)
    {
        int index = Array.FindIndex(Table, row => row.Name == name);
        dtype = (SafetensorsDType)Math.Max(index, 0);
        return index >= 0;
    }

    private static (string Name, int Bits) Row(SafetensorsDType dtype)
    {
        ArgumentOutOfRangeException.ThrowIfNegative((int)dtype, nameof(dtype));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((int)dtype, Table.Length, nameof(dtype));
        return Table[(int)dtype];
    }
}
