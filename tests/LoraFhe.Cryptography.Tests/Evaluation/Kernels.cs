namespace LoraFhe.Cryptography.Tests;

/// <summary>Every kernel this machine can run; the portable ones run on every machine.</summary>
public static class Kernels
{
    public static TheoryData<string> Names => [.. GemmKernels.Available().Select(kernel => kernel.Name)];

    internal static IntegerGemm Named(string name) => GemmKernels.Available().Single(kernel => kernel.Name == name);
}
