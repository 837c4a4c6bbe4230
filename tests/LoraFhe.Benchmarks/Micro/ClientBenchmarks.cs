using BenchmarkDotNet.Attributes;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>The secret half of SmolLM2's 576→1536 on one thread, by every kernel this machine runs.</summary>
public class ClientBenchmarks : IDisposable
{
    private const int Inputs = 576;
    private const int Outputs = 1536;

    private PublicMatrix? _matrix;
    private Hint? _hint;
    private EncryptedLinearClient? _client;
    private LinearEvaluator? _server;
    private float[] _rows = [];
    private float[] _output = [];
    private byte[] _response = [];

    /// <summary>The kernels this machine runs.</summary>
    public static IEnumerable<string> Kernels => ClientKernels.Supported().Select(kernel => kernel.Name);

    /// <summary>Which of them.</summary>
    [ParamsSource(nameof(Kernels))]
    public string Kernel { get; set; } = "";

    /// <summary>Rows of a call.</summary>
    [Params(64, 512)]
    public int Tokens { get; set; }

    /// <summary>Makes both halves.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(7);
        var layer = RandomLayer.Create(Inputs, Outputs, bits: 8, random);
        _matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), Inputs);
        _hint = Hint.Make(layer, LayerDirection.Forward, _matrix);
        _client = EncryptedLinearClient.Create(
            layer,
            LayerDirection.Forward,
            _matrix,
            _hint,
            KernelSecretSource.Instance,
            ClientKernels.Supported().Single(kernel => kernel.Name == Kernel),
            maxThreads: 1);
        _server = new LinearEvaluator(layer, LayerDirection.Forward, _client.Binding, maxThreads: 1);
        _rows = [.. Enumerable.Range(0, Tokens * Inputs).Select(_ => (float)((random.NextDouble() * 2) - 1))];
        _output = new float[Tokens * Outputs];
        _response = new byte[LinearEvaluator.ResponseLength(Outputs, Tokens)];
    }

    /// <summary>A call's request.</summary>
    [Benchmark]
    [ExpectedAllocation(2_048)]
    public void Encrypt() => _client!.Encrypt(_rows, Tokens).Dispose();

    /// <summary>A whole call, the server's product by the best kernel included.</summary>
    [Benchmark]
    [ExpectedAllocation(2_560)]
    public void Multiply()
    {
        using var call = _client!.Encrypt(_rows, Tokens);
        _server!.Evaluate(call.Ciphertext.Bytes, _response);
        call.Decryption.Decrypt(_response, _output);
    }

    /// <summary>Frees both halves.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _client?.Dispose();
        _hint?.Dispose();
        _matrix?.Dispose();
        _server?.Dispose();
        GC.SuppressFinalize(this);
    }
}
