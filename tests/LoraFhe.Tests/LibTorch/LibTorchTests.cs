using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class LibTorchTests
{
    [Fact]
    public void Tensors_work_on_this_system_without_a_manual_step()
    {
        using var sum = ones(3, 4).sum();
        Assert.Equal(12f, sum.item<float>());
        LibTorch.EnsureSupported();
    }

    [Fact]
    public void Initializing_again_does_nothing()
    {
        LibTorch.Initialize();
        LibTorch.Initialize();
    }

    [Fact]
    public void A_system_without_a_native_part_is_told_so_with_the_cure()
    {
        Assert.Null(LibTorch.PlatformFault(OSPlatform.Linux, Architecture.X64, "linux-x64"));
        Assert.Null(LibTorch.PlatformFault(OSPlatform.OSX, Architecture.Arm64, "osx-arm64"));
        Assert.All(
            [(OSPlatform.Windows, Architecture.X64, "win-x64"), (OSPlatform.Linux, Architecture.Arm64, "linux-arm64"), (OSPlatform.OSX, Architecture.X64, "osx-x64")],
            system =>
            {
                var fault = LibTorch.PlatformFault(system.Item1, system.Item2, system.Item3);
                Assert.Contains(system.Item3, fault, StringComparison.Ordinal);
                Assert.Contains("WSL 2", fault, StringComparison.Ordinal);
            });
    }
}
