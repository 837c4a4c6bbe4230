namespace LoraFhe.Cryptography;

/// <summary>Words travel, are hashed and are stored little-endian, and are read in place.</summary>
internal static class LittleEndian
{
    /// <summary>Refuses a big-endian processor, once, where bytes first become words.</summary>
    /// <exception cref="PlatformNotSupportedException">The processor is big-endian.</exception>
    public static void Require()
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw Errors.BigEndian();
        }
    }
}
