using LoraFhe.Cryptography.Client;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A compiled hybrid model around an <see cref="AdaptedMlp"/>.</summary>
internal sealed class HybridFixture : IDisposable
{
    /// <summary>Tokens 2 × 5, as a language model's hidden states are shaped.</summary>
    public static readonly long[] BatchShape = [2, 5, AdaptedMlp.Inputs];

    private readonly IFheBackend _backend;

    public HybridFixture(int skip = 0, HybridCompileOptions? options = null, IFheBackend? backend = null, bool compile = true, int seed = 1)
    {
        Model = new AdaptedMlp(seed).WithCustomLayers(skip);
        _backend = backend ?? new InProcessFheBackend(new InProcessFheOptions(), new InsecureTestRandomness(7));
        Hybrid = new HybridFheModel(Model, Lora.GetRemoteNames(Model), _backend, Logger);
        Input = HybridData.Normal(5, BatchShape);
        if (compile)
        {
            Hybrid.CompileModel(() => Model.Gradients(Input), options);
        }
    }

    public AdaptedMlp Model { get; }

    public HybridFheModel Hybrid { get; }

    public Tensor Input { get; }

    public RecordingLogger Logger { get; } = new();

    /// <summary>The output in a mode.</summary>
    public Tensor Output(HybridFheMode mode) => Output(mode, Input);

    /// <summary>The output for other data.</summary>
    public Tensor Output(HybridFheMode mode, Tensor input)
    {
        using var noGraph = no_grad();
        return Hybrid.Forward<Tensor, Tensor>(input, mode);
    }

    /// <summary>The adapters' gradients in a mode.</summary>
    public IReadOnlyList<Tensor> Gradients(HybridFheMode mode) => Hybrid.Run(mode, () => Model.Gradients(Input));

    public void Dispose()
    {
        Hybrid.Dispose();
        _backend.Dispose();
        Model.Dispose();
    }
}
