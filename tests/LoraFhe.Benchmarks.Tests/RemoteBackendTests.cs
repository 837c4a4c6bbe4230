using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks.Tests;

public sealed class RemoteBackendTests
{
    private const int Inputs = 24;
    private const int Outputs = 40;
    private const int Tokens = 5;

    [Fact]
    public void A_server_in_another_process_multiplies_encrypted_rows_in_both_directions()
    {
        var layer = RandomLayer.Create(Inputs, Outputs, bits: 8, new Random(3));
        using var backend = new RemoteBackend(maxThreads: 1);
        backend.Prepare([new FheLayer(layer)], progress: null, TestContext.Current.CancellationToken);

        AssertNear(Clear(layer, Rows(Inputs), LayerDirection.Forward), Multiply(backend, layer, LayerDirection.Forward));
        AssertNear(Clear(layer, Rows(Outputs), LayerDirection.Backward), Multiply(backend, layer, LayerDirection.Backward));
        Assert.Equal(2, backend.Traffic.Calls);
        Assert.Equal((2 * MessageBytes) + (Tokens * (Inputs + Outputs) * sizeof(int)), backend.Traffic.BytesUp);
    }

    [Fact]
    public void What_a_server_refuses_is_told_and_the_next_call_is_answered()
    {
        var layer = RandomLayer.Create(Inputs, Outputs, bits: 8, new Random(3));
        using var server = ServerProcess.Start(maxThreads: 1);
        server.Frames.Write(FrameKind.Layer, new ServedLayer(layer, LayerDirection.Forward, PublicMatrixSeed.Generate()).ToBytes());
        Assert.Equal(FrameKind.Layer, server.Frames.Read()?.Kind);

        server.Frames.Write(FrameKind.Request, BitConverter.GetBytes(0), new byte[100]);
        Assert.Equal(FrameKind.Fault, server.Frames.Read()?.Kind);
        server.Frames.Write(FrameKind.Request, BitConverter.GetBytes(7), new byte[100]);
        Assert.Equal(FrameKind.Fault, server.Frames.Read()?.Kind);
    }

    private const int MessageBytes = 64;

    private static float[] Multiply(RemoteBackend backend, QuantizedLayer layer, LayerDirection direction)
    {
        var product = new float[Tokens * layer.Outputs(direction)];
        backend.Multiply(new LayerId(layer.Name, direction), Rows(layer.Inputs(direction)), Tokens, product);
        return product;
    }

    private static float[] Rows(int features) => [.. Enumerable.Range(0, Tokens * features).Select(i => MathF.Sin(i))];

    private static float[] Clear(QuantizedLayer layer, float[] rows, LayerDirection direction)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var product = new float[Tokens * outputs];
        for (var i = 0; i < Tokens * outputs * inputs; i++)
        {
            var (t, o, n) = (i / (outputs * inputs), i / inputs % outputs, i % inputs);
            var (row, column) = direction == LayerDirection.Forward ? (o, n) : (n, o);
            product[(t * outputs) + o] += rows[(t * inputs) + n] * layer.Codes[(row * layer.InFeatures) + column] * layer.Scales[row];
        }

        return product;
    }

    private static void AssertNear(float[] expected, float[] actual)
    {
        var largest = expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-3f * largest));
    }
}
