using System.Text;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>Execute over TLS: encrypts here, has the products computed by a <see cref="ProductServer"/>, decrypts here. It gets the weights when it is
/// prepared; after that nothing but encrypted requests and responses crosses.</summary>
internal sealed class RemoteBackend(int maxThreads) : IFheBackend
{
    private readonly Dictionary<LayerId, RemoteProduct> _products = [];
    private ServerProcess? _server;
    private PublicMatrix? _matrix;

    public string Name => "loopback";

    public FheTraffic Traffic { get; private set; }

    public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        Dispose();
        var needed = layers.SelectMany(layer => Enum.GetValues<LayerDirection>().Where(layer.Needs).Select(direction => (Layer: layer, Direction: direction))).ToList();
        if (needed.Count == 0)
        {
            return;
        }

        _server = ServerProcess.Start(maxThreads);
        _matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), needed.Max(one => one.Layer.Weights.Inputs(one.Direction)), cancellationToken);
        var hints = new HintStore(folder: null);
        foreach (var (layer, direction) in needed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _server.Frames.Write(FrameKind.Layer, new ServedLayer(layer.Weights, direction, _matrix.Seed).ToBytes());
            _ = Expect(FrameKind.Layer);
            var hint = hints.GetOrMake(layer.Weights, direction, _matrix, maxThreads, cancellationToken);
            var client = EncryptedLinearClient.Create(layer.Weights, direction, _matrix, hint, layer.Norm(direction), maxThreads);
            _products.Add(client.Layer, new RemoteProduct(_products.Count, client, hint));
        }
    }

    public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
    {
        var product = _products[layer];
        using var call = product.Client.Encrypt(rows, tokens);
        var request = call.Ciphertext.Bytes;
        _server!.Frames.Write(FrameKind.Request, BitConverter.GetBytes(product.Number), request);
        var response = Expect(FrameKind.Response).Span;
        call.Decryption.Decrypt(response, destination);
        Traffic += new FheTraffic
        {
            Calls = 1,
            BytesUp = request.Length,
            BytesDown = response.Length,
            ServerMultiplyAdds = (long)tokens * product.Client.Inputs * product.Client.Outputs,
        };
    }

    public void Dispose()
    {
        foreach (var product in _products.Values)
        {
            product.Dispose();
        }

        _products.Clear();
        _matrix?.Dispose();
        _matrix = null;
        _server?.Dispose();
        _server = null;
    }

    private ReadOnlyMemory<byte> Expect(FrameKind kind) => _server!.Frames.Read() switch
    {
        ({ } got, var content) when got == kind => content,
        (FrameKind.Fault, var content) => throw new InvalidDataException($"The server refused a request: {Encoding.UTF8.GetString(content.Span)}"),
        var other => throw new InvalidDataException($"The server sent {other?.Kind.ToString() ?? "nothing more"}. Expected {kind}."),
    };
}
