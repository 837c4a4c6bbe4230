namespace LoraFhe.Tools.Replay;

/// <summary>How evenly words lie over ±(q−1)/2, counted in equal bins.</summary>
internal sealed class Uniformity
{
    public const int Bins = 256;
    public const int Mean = Bins - 1;

    // Uniform words are this far off once in more than 10^15 calls; small numbers in the clear, always.
    private const int AlarmingDeviations = 10;
    private readonly long[] _counts = new long[Bins];

    public static double Deviation { get; } = Math.Sqrt(2 * Mean);

    public long Count => _counts.Sum();

    public double ChiSquare
    {
        get
        {
            var expected = (double)Count / Bins;
            return _counts.Sum(c => (c - expected) * (c - expected) / expected);
        }
    }

    public bool IsSuspicious => ChiSquare > Mean + (AlarmingDeviations * Deviation);

    public void Add(Message message)
    {
        foreach (var word in message.Words)
        {
            _counts[(int)(Field.Mod(word) * Bins / Field.Q)]++;
        }
    }

    public void Add(Uniformity other)
    {
        for (var i = 0; i < Bins; i++)
        {
            _counts[i] += other._counts[i];
        }
    }
}
