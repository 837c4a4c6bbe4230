using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>A corner case of the reference and what this library does in it.</summary>
/// <param name="Row">Where the outcome differs: the words by which a row of docs/parity.md begins. Null: the outcome is the reference's.</param>
/// <param name="Check">Makes the call here and compares with what was recorded, or asserts the row's verdict.</param>
internal sealed record Probe(string? Row, Action<GoldenJson> Check)
{
    public static Probe Kept(Action<GoldenJson> check) => new(null, check);

    public static Probe Mended(string row, Action<GoldenJson> check) => new(row, check);
}
