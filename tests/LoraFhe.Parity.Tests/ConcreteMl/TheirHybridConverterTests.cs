using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's tests of its hybrid model that concern linear layers, each under its own name
/// (<c>tests/torch/test_hybrid_converter.py</c> of Concrete ML 1.9.0).</summary>
public sealed class TheirHybridConverterTests
{
    // Of outputs that are of the size of 1.
    private const float OutputTolerance = 0.1f;

    // One class of three: 256 switches theirs to another backend, 2048 is what its backend is for.
    [Theory]
    [InlineData(256, true, 8)]
    [InlineData(256, false, 10)]
    [InlineData(512, true, 8)]
    [InlineData(512, false, 10)]
    [InlineData(2048, true, 8)]
    public void Hybrid_glwe_correctness(int width, bool dynamic, int bits)
    {
        manual_seed(width);
        using var noGraph = no_grad();
        using var model = nn.Sequential(("fc1", nn.Linear(width, width)), ("act", nn.ReLU()), ("fc2", nn.Linear(width, width)));
        using var x = randn(20, width);
        using var torch = model.call(x);
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));
        hybrid.CompileModel<Tensor, Tensor>(x, new HybridCompileOptions { Bits = bits, UseDynamicQuantization = dynamic }, cancellationToken: Cancellation.Token);

        using var inTorch = hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Torch);
        using var disabled = hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Disable);
        using var executed = hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Execute);
        Assert.True(inTorch.allclose(torch, 0, 1e-3));
        Assert.True(disabled.allclose(torch, 0, OutputTolerance));
        Assert.True(executed.allclose(disabled, 0, OutputTolerance));
        Assert.True(executed.allclose(torch, 0, OutputTolerance));
        var classes = torch.argmax(-1);
        Assert.InRange(classes.ne(executed.argmax(-1)).sum().item<long>(), 0, 1);
        Assert.InRange(disabled.argmax(-1).ne(executed.argmax(-1)).sum().item<long>(), 0, 1);
    }

    [Fact]
    public void Gpt2_hybrid_mlp_module_not_found()
    {
        using var model = nn.Sequential(nn.Linear(2, 2));
        var error = Assert.Throws<ArgumentException>(() => new HybridFheModel(model, ["does_not_exist"]));
        Assert.Contains("No module found for name 'does_not_exist'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_model() => Assert.Throws<ArgumentNullException>("model", () => new HybridFheModel(null!, ["sub_module"]));

    [Fact]
    public void Gpt2_hybrid_mlp()
    {
        // One Conv1D of the model is remote: disable is near torch, and simulate near disable.
        manual_seed(7);
        using var noGraph = no_grad();
        using var model = nn.Sequential(("c_fc", new Conv1D(64, 256)), ("act", nn.GELU()), ("c_proj", new Conv1D(256, 64)));
        using var x = randn(4, 9, 64);
        using var torch = model.call(x);
        using var hybrid = new HybridFheModel(model, ["c_fc"]);
        hybrid.CompileModel<Tensor, Tensor>(x, cancellationToken: Cancellation.Token);
        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            using var output = hybrid.Forward<Tensor, Tensor>(x, mode);
            Assert.True(output.allclose(torch, 0.02, 1e-3), mode.ToPythonName());
        }

        Assert.IsType<Conv1D>(model.children().Last());
    }
}
