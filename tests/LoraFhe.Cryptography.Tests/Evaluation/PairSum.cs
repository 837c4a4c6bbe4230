namespace LoraFhe.Cryptography.Tests;

/// <summary>A product and sum in two instructions: lets the tile of machines that have one for it run on every machine.</summary>
internal readonly struct PairSum<TVector> : IPairSum<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    public static TVector Add(TVector sum, TVector a, TVector b) => TVector.Add(sum, TVector.MultiplyPairs(a, b));
}
