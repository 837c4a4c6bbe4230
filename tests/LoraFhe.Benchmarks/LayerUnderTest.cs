using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using TorchSharp;

namespace LoraFhe.Benchmarks;

/// <summary>The same layer twice: encrypted, as execute runs it in process, and as libtorch's float32 <c>linear</c>.</summary>
internal sealed class LayerUnderTest : IDisposable
{
    private const int WarmUpPairs = 3;
    private readonly int _tokens;
    private readonly float[] _rows;
    private readonly float[] _output;
    private readonly byte[] _response;
    private readonly Hint _hint;
    private readonly LinearEvaluator _server;
    private readonly EncryptedLinearClient _client;
    private readonly torch.Tensor _clearInput;
    private readonly torch.Tensor _clearWeight;

    public LayerUnderTest(int inputs, int outputs, int tokens, int threads, int bits, PublicMatrix publicMatrix)
    {
        _tokens = tokens;
        var random = new Random(7);
        var layer = RandomLayer.Create(inputs, outputs, bits, random);
        _rows = new float[tokens * inputs];
        foreach (ref var value in _rows.AsSpan())
        {
            value = (float)((random.NextDouble() * 2) - 1);
        }

        _output = new float[tokens * outputs];
        var binding = Binding.Compute(layer, LayerDirection.Forward, publicMatrix.Seed);
        _hint = new HintStore(folder: null).GetOrMake(layer, LayerDirection.Forward, publicMatrix, threads, CancellationToken.None);
        _server = new LinearEvaluator(layer, LayerDirection.Forward, binding, threads);
        _client = EncryptedLinearClient.Create(layer, LayerDirection.Forward, publicMatrix, _hint, maxThreads: threads);
        _response = new byte[LinearEvaluator.ResponseLength(outputs, tokens)];
        _clearInput = torch.tensor(_rows, [tokens, inputs]);
        _clearWeight = torch.randn(outputs, inputs);
    }

    /// <summary>Encrypted and clear products in turn, once they are warm.</summary>
    /// <param name="seconds">Time given to them.</param>
    /// <param name="fewest">Pairs at least.</param>
    public IReadOnlyList<ProductPair> Pairs(double seconds, int fewest) => PairsInTurn([this], seconds, fewest);

    /// <summary>The same over several layers in turn: with enough of them, each finds its weights and hint in no cache, as in a model.</summary>
    public static IReadOnlyList<ProductPair> PairsInTurn(IReadOnlyList<LayerUnderTest> layers, double seconds, int fewest)
    {
        for (var i = 0; i < Math.Max(WarmUpPairs, layers.Count); i++)
        {
            _ = layers[i % layers.Count].Pair();
        }

        var pairs = new List<ProductPair>();
        var start = TimeProvider.System.GetTimestamp();
        while (pairs.Count < fewest || TimeProvider.System.GetElapsedTime(start).TotalSeconds < seconds)
        {
            pairs.Add(layers[pairs.Count % layers.Count].Pair());
        }

        return pairs;
    }

    private ProductPair Pair()
    {
        var start = TimeProvider.System.GetTimestamp();
        using var call = _client.Encrypt(_rows, _tokens);
        var encrypted = TimeProvider.System.GetTimestamp();
        _server.Evaluate(call.Ciphertext.Bytes, _response);
        var evaluated = TimeProvider.System.GetTimestamp();
        call.Decryption.Decrypt(_response, _output);
        var decrypted = TimeProvider.System.GetTimestamp();
        return new ProductPair(
            TimeProvider.System.GetElapsedTime(start, encrypted).TotalSeconds,
            TimeProvider.System.GetElapsedTime(encrypted, evaluated).TotalSeconds,
            TimeProvider.System.GetElapsedTime(evaluated, decrypted).TotalSeconds,
            Clear());
    }

    private double Clear()
    {
        var start = TimeProvider.System.GetTimestamp();
        using var product = torch.nn.functional.linear(_clearInput, _clearWeight);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _hint.Dispose();
        _clearInput.Dispose();
        _clearWeight.Dispose();
    }
}
