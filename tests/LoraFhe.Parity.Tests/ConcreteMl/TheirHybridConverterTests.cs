using LoraFhe.Fixtures;
using LoraFhe.Models;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's tests of its hybrid model that concern linear layers, each under its own name
/// (<c>tests/torch/test_hybrid_converter.py</c> of Concrete ML 1.9.0).</summary>
public sealed class TheirHybridConverterTests
{
    // Of outputs that are of the size of 1.
    private const float OutputTolerance = 0.1f;

    // Theirs has none without table lookups: equal to 1e-7. Ours draws what execute draws.
    private const double SimulatedNoise = 1e-3;

    // One class of three: 256 switches theirs to another backend, 2048 is what its backend is for.
    [Theory]
    [InlineData(256, true, 8)]
    [InlineData(256, false, 10)]
    [InlineData(512, true, 8)]
    [InlineData(512, false, 10)]
    [InlineData(2048, true, 8)]
    [InlineData(2048, false, 10)]
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

    // Theirs are the blocks "transformer.h.0.mlp", both blocks, and "transformer.h.0.mlp.c_fc" of the downloaded GPT-2. A block's activation stays with the client here.
    [Theory]
    [InlineData(0.95, "transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_proj")]
    [InlineData(0.95, "transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_proj", "transformer.h.1.mlp.c_fc", "transformer.h.1.mlp.c_proj")]
    [InlineData(1.0, "transformer.h.0.mlp.c_fc")]
    public void Gpt2_hybrid_mlp(double expectedAccuracy, params string[] names)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        using var folder = new TemporaryFolder();
        using var model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", "gpt2-base"));
        using var hybrid = new HybridFheModel(model, names);
        var ids = arange(5, ScalarType.Int64).reshape(1, 5) + 11;
        Tensor Logits(HybridFheMode mode) => hybrid.Run(mode, () => model.call(ids, null, null).Logits!);
        hybrid.CompileModel(() => Logits(HybridFheMode.Torch).Dispose(), new HybridCompileOptions { Bits = 9 }, cancellationToken: Cancellation.Token);

        var torch = Logits(HybridFheMode.Torch);
        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            var agreement = Logits(mode).topk(5).indexes.eq(torch.topk(5).indexes).to(float64).mean().item<double>();
            Assert.True(agreement >= expectedAccuracy, $"{mode.ToPythonName()}: {agreement}");
        }

        Close.Within(SimulatedNoise, Logits(HybridFheMode.Disable), Logits(HybridFheMode.Simulate), "simulate beside disable");
        hybrid.SaveAndClearPrivateInfo(folder.At("dep"));
        Assert.Equal(["client", "server"], Directory.GetDirectories(folder.At("dep")).Select(path => Path.GetFileName(path)!).Order());
        Assert.All(hybrid.RemoteModules, module => Assert.Null(module.PrivateModule));
    }

    [Fact]
    public void Gpt2_hybrid_mlp_of_a_whole_block_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", "gpt2-base"));
        var error = Assert.Throws<NotSupportedException>(() => new HybridFheModel(model, ["transformer.h.0.mlp"]));
        Assert.Contains("'transformer.h.0.mlp'", error.Message, StringComparison.Ordinal);
    }

    // Theirs writes the shape of an input into the name of a folder, and reads it back: its circuits are of one shape. Here one compiled layer serves all.
    [Theory]
    [InlineData("8")]
    [InlineData("1, 8")]
    [InlineData("2, 3, 8")]
    [InlineData("2, 1, 3, 8")]
    public void Tuple_serialization(string shape)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        using var model = nn.Sequential(("fc", nn.Linear(8, 6)));
        using var hybrid = new HybridFheModel(model, ["fc"]);
        hybrid.CompileModel<Tensor, Tensor>(randn(3, 8), cancellationToken: Cancellation.Token);
        var x = randn([.. shape.Split(", ").Select(long.Parse)]);
        Close.Within(OutputTolerance, hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Torch), hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Execute), "execute beside torch");
    }
}
