using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A language model whose frozen layers are encrypted ones: it only calls its modules, so everything goes on working.</summary>
public abstract class EncryptedModelTests : IDisposable
{
    private static readonly int[] Prompt = [5, 6, 7, 8, 9];

    private readonly int _layers;
    private readonly int _products;
    private readonly CausalLanguageModel _model;
    private readonly HybridFheModel _hybrid;

    protected EncryptedModelTests(string name, int layers, int products)
    {
        (_layers, _products) = (layers, products);
        _model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name));
        _hybrid = new HybridFheModel(_model, Lora.GetRemoteNames(_model));
        _hybrid.CompileModel(
            () =>
            {
                using var scope = NewDisposeScope();
                var ids = arange(40, ScalarType.Int64).reshape(2, 20);
                _model.call(ids, null, ids);
            },
            cancellationToken: Cancellation);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _hybrid.Dispose();
        _model.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Every_linear_layer_but_the_head_is_replaced()
    {
        Assert.Equal(_layers, _hybrid.RemoteModules.Count);
        Assert.DoesNotContain("lm_head", _hybrid.ModuleNames);
    }

    [Fact]
    public void Encrypted_logits_and_loss_are_near_the_clear_ones_and_so_is_the_way_back()
    {
        using var scope = NewDisposeScope();
        var ids = (arange(24, ScalarType.Int64) * 7 % 300).reshape(2, 12);
        var embedding = _model.parameters().First();

        var clear = Run(HybridFheMode.Disable);
        var encrypted = Run(HybridFheMode.Execute);

        // Errors of execute are about those of eight-bit rounding; a wrong sign or layer would be off by the logits themselves, about 9.
        Assert.InRange((clear.Logits - encrypted.Logits).abs().max().item<float>(), 1e-6, 1.0);
        Assert.InRange((clear.Gradient - encrypted.Gradient).norm().item<float>() / clear.Gradient.norm().item<float>(), 1e-7, 0.2);

        (Tensor Logits, Tensor Gradient) Run(HybridFheMode mode) => _hybrid.Run(mode, () =>
        {
            _model.zero_grad();
            var output = _model.call(ids, null, ids);
            output.Loss!.backward();
            return (output.Logits!.detach(), embedding.grad!.clone());
        });
    }

    [Fact]
    public void Quantized_generation_is_the_same_with_and_without_the_cache()
    {
        var options = new GenerationOptions { MaxNewTokens = 12, EndOfSequenceIds = [] };

        var cached = Generate(HybridFheMode.Disable, options);

        Assert.Equal(Generate(HybridFheMode.Disable, options with { UseCache = false }), cached);
    }

    [Fact]
    public void Encrypted_generation_asks_for_each_product_once_a_token()
    {
        const int Tokens = 4;
        var before = _hybrid.Backend.Traffic;

        var ids = Generate(HybridFheMode.Execute, new GenerationOptions { MaxNewTokens = Tokens, EndOfSequenceIds = [] });

        Assert.Equal(Tokens, ids.Length);
        Assert.Equal(Tokens * _products, _hybrid.Backend.Traffic.Calls - before.Calls);
    }

    private int[] Generate(HybridFheMode mode, GenerationOptions options) =>
        _hybrid.Run(mode, () => _model.Generate(Prompt, options, cancellationToken: Cancellation));
}
