using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Remote modules of the reference stay as they are when the model is moved; here what was compiled does.</summary>
public sealed class MovedModelTests
{
    [Fact]
    public void A_model_moved_to_another_type_after_compilation_computes_the_same_products()
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        using var model = nn.Sequential(("fc1", nn.Linear(8, 6)), ("fc2", nn.Linear(6, 4)));
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));
        var x = HybridData.Normal(1, 3, 8);
        hybrid.CompileModel<Tensor, Tensor>(x, cancellationToken: Training.Cancellation.Token);
        var before = hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Disable);

        model.to(ScalarType.Float64);

        var after = hybrid.Forward<Tensor, Tensor>(x.to(ScalarType.Float64), HybridFheMode.Disable);
        Assert.Equal(ScalarType.Float64, after.dtype);
        HybridData.AssertClose(before, after.to(ScalarType.Float32), 1e-5);
        var torch = hybrid.Forward<Tensor, Tensor>(x.to(ScalarType.Float64), HybridFheMode.Torch);
        HybridData.AssertClose(before, torch.to(ScalarType.Float32), 0.05);
    }
}
