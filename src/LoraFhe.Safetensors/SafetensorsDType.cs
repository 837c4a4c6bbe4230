namespace LoraFhe.Safetensors;

/// <summary>The element types a safetensors header can name.</summary>
/// <remarks>The order is the reference library's: writers place tensors by it, highest first, then by name.</remarks>
public enum SafetensorsDType
{
    /// <summary>One byte an element; zero is false.</summary>
    Bool,

    /// <summary>Four-bit float, two to a byte (MX).</summary>
    F4,

    /// <summary>Six-bit float, two exponent bits (MX).</summary>
    F6E2M3,

    /// <summary>Six-bit float, three exponent bits (MX).</summary>
    F6E3M2,

    /// <summary>Unsigned byte.</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>Eight-bit float, five exponent bits.</summary>
    F8E5M2,

    /// <summary>Eight-bit float, four exponent bits.</summary>
    F8E4M3,

    /// <summary>Eight-bit float, five exponent bits, no infinities and no negative zero.</summary>
    F8E5M2Fnuz,

    /// <summary>Eight-bit float, four exponent bits, no infinities and no negative zero.</summary>
    F8E4M3Fnuz,

    /// <summary>Eight-bit power of two (MX scales).</summary>
    F8E8M0,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of an IEEE single.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>Two IEEE singles: real, imaginary.</summary>
    C64,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}
