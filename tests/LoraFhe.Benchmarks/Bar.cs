namespace LoraFhe.Benchmarks;

/// <summary>What a ratio should stay below.</summary>
/// <param name="Avx2">Where vector units are 256 bits wide, as AVX2's are, and those of processors that halve AVX-512's.</param>
/// <param name="Avx512">Where they are 512 bits wide.</param>
internal sealed record Bar(double Avx2, double Avx512)
{
    /// <summary>Managed memory a step may allocate.</summary>
    public const double AllocatedBytes = 1 << 20;

    public static readonly Bar Server = new(1.2, 0.6);
    public static readonly Bar Whole = new(1.3, 0.7);
    public static readonly Bar WholeOfFewTokens = new(1.5, 0.95);
    public static readonly Bar Step = new(1.25, 1.0);
    public static readonly Bar Loopback = new(1.6, 1.3);
    public static readonly Bar Disable = new(1.1, 1.1);
    public static readonly Bar Simulate = new(1.3, 1.3);

    public static readonly Bar PeakWithoutHints = new(1.3, 1.3);

    /// <summary>The bar on a machine.</summary>
    public double Here(bool fullWidth512) => fullWidth512 ? Avx512 : Avx2;

    /// <summary>As tables show it.</summary>
    public string Verdict(double ratio, bool fullWidth512) => $"≤ {Here(fullWidth512):F2}, {(ratio <= Here(fullWidth512) ? "met" : "**missed**")}";
}
