using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>What a generation leaves behind in the process: nothing. Alone, as torch's generator and count of tensors are the
/// process's.</summary>
[Collection(RunsAlone.Name)]
public sealed class GenerationTraceTests : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly CausalLanguageModel _model = CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Torch_s_random_numbers_are_left_alone()
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        var expected = rand(4);
        manual_seed(7);
        Run(new GenerationOptions { Temperature = 1, MaxNewTokens = 4 });

        Assert.True(expected.Equals(rand(4)));
    }

    [Fact]
    public void A_long_generation_leaves_no_tensor_behind()
    {
        Run(new GenerationOptions { MaxNewTokens = 4 });
        var before = Tensor.TotalCount;

        for (var i = 0; i < 3; i++)
        {
            Run(new GenerationOptions { MaxNewTokens = 250, EndOfSequenceIds = [] });
        }

        Run(new GenerationOptions { MaxNewTokens = 20, UseCache = false });

        Assert.InRange(Tensor.TotalCount - before, long.MinValue, 0);
    }

    private int[] Run(GenerationOptions options) =>
        _model.Generate([0, 38, 694, 306], options, cancellationToken: Cancellation);
}
