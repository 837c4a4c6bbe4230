using BenchmarkDotNet.Attributes;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>The server's product, SmolLM2's 576→1536 on one thread, by every kernel this machine runs; and the packing of its weights.</summary>
public class ProductBenchmarks : IDisposable
{
    private const int Inputs = 576;
    private const int Outputs = 1536;

    private readonly QuantizedLayer _layer = RandomLayer.Create(Inputs, Outputs, bits: 8, new Random(7));
    private IntegerGemm? _kernel;
    private Binding _binding;
    private LinearEvaluator? _evaluator;
    private byte[] _request = [];
    private byte[] _response = [];

    /// <summary>The kernels this machine runs.</summary>
    public static IEnumerable<string> Kernels => GemmKernels.Available().Select(kernel => kernel.Name);

    /// <summary>Which of them.</summary>
    [ParamsSource(nameof(Kernels))]
    public string Kernel { get; set; } = "";

    /// <summary>Tokens of the request.</summary>
    [Params(64, 512)]
    public int Tokens { get; set; }

    /// <summary>Encrypts a request and packs the weights.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        using var matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), Inputs);
        using var hint = Hint.Make(_layer, LayerDirection.Forward, matrix);
        using var client = EncryptedLinearClient.Create(_layer, LayerDirection.Forward, matrix, hint);
        using var call = client.Encrypt(new float[Tokens * Inputs], Tokens);
        _request = call.Ciphertext.Bytes.ToArray();
        _response = new byte[LinearEvaluator.ResponseLength(Outputs, Tokens)];
        _kernel = GemmKernels.Available().Single(kernel => kernel.Name == Kernel);
        _binding = client.Binding;
        _evaluator = Pack();
    }

    /// <summary>One request's answer.</summary>
    [Benchmark]
    [ExpectedAllocation(384)]
    public void Evaluate() => _evaluator!.Evaluate(_request, _response);

    /// <summary>The weights in the kernel's order, and where it uses them the seven sums of their quarters.</summary>
    [Benchmark]
    [ExpectedAllocation(4_000_000)]
    public void PackWeights() => Pack().Dispose();

    /// <summary>Frees the weights.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _evaluator?.Dispose();
        GC.SuppressFinalize(this);
    }

    private LinearEvaluator Pack() => new(_layer, LayerDirection.Forward, _binding, _kernel!, maxThreads: 1);
}
