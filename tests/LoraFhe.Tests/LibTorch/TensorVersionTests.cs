using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>How often a tensor was changed.</summary>
public sealed class TensorVersionTests
{
    [Fact]
    public void It_counts_changes_in_place_through_views_too()
    {
        using var scope = NewDisposeScope();
        var tensor = zeros(4);
        var before = TensorVersion.Of(tensor);

        Assert.Equal(before, TensorVersion.Of(tensor));
        tensor.narrow(0, 1, 2).add_(1);
        Assert.NotEqual(before, TensorVersion.Of(tensor));
    }

    [Fact]
    public void Where_libtorch_does_not_tell_no_tensor_counts_as_unchanged()
    {
        using var tensor = zeros(4);
        var blind = new TensorVersion(0);
        Assert.NotEqual(blind.Read(tensor), blind.Read(tensor));
        Assert.InRange(blind.Read(tensor), long.MinValue, -2);
    }
}
