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
}
