namespace LoraFhe.Cryptography.Tests;

/// <summary>Every kernel this machine can run, the portable ones on every machine; and AvxVnni's tile in portable instructions.</summary>
public static class Kernels
{
    public static TheoryData<string> Names => [.. All().Select(kernel => kernel.Name)];

    internal static IntegerGemm Named(string name) => All().Single(kernel => kernel.Name == name);

    private static IEnumerable<IntegerGemm> All() =>
        [.. GemmKernels.Available(), new IntegerGemmDriver<Portable256Vector, FusedTile3x2<Portable256Vector, PairSum<Portable256Vector>>>("Fused256")];
}
