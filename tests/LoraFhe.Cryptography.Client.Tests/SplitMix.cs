namespace LoraFhe.Cryptography.Client.Tests;

/// <summary>A small generator for test data: the same numbers on every machine.</summary>
internal sealed class SplitMix(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9e3779b97f4a7c15UL;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }

    public int Between(int low, int high) => low + (int)(Next() % (ulong)(high - low + 1));

    public double Uniform() => ((Next() >> 11) + 0.5) / (1UL << 53);

    public double Normal() => Math.Sqrt(-2 * Math.Log(Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)(Next() >> 56);
        }

        return bytes;
    }
}
