using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class BackendTests
{
    [Fact]
    public void A_users_own_backend_computes_execute()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend();
        using var hybrid = new HybridFixture(backend: backend);

        var execute = hybrid.Gradients(HybridFheMode.Execute);

        Assert.Equal(
            [
                new LayerId("fc1", LayerDirection.Forward), new LayerId("fc2", LayerDirection.Forward), new LayerId("fc3", LayerDirection.Forward),
                new LayerId("fc3", LayerDirection.Backward), new LayerId("fc2", LayerDirection.Backward),
            ],
            backend.Calls);
        foreach (var (expected, actual) in hybrid.Gradients(HybridFheMode.Disable).Zip(execute))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, 1e-4);
        }
    }

    [Fact]
    public void An_exception_of_a_backend_in_backward_surfaces_as_itself_and_nothing_more_is_asked_for()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend
        {
            Fault = layer => layer is { Name: "fc3", Direction: LayerDirection.Backward } ? new TimeoutException("the server is gone") : null,
        };
        using var hybrid = new HybridFixture(backend: backend);

        var exception = Assert.Throws<TimeoutException>(() => hybrid.Gradients(HybridFheMode.Execute));

        Assert.Equal("the server is gone", exception.Message);
        Assert.Equal(new LayerId("fc3", LayerDirection.Backward), backend.Calls[^1]);
        hybrid.Model.zero_grad();
        backend.Fault = _ => null;
        Assert.Equal(3, hybrid.Gradients(HybridFheMode.Execute).Count);
    }

    [Fact]
    public void An_exception_of_a_backend_in_forward_surfaces_as_itself()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend { Fault = _ => new TimeoutException("the server is gone") };
        using var hybrid = new HybridFixture(backend: backend);

        Assert.Throws<TimeoutException>(() => hybrid.Gradients(HybridFheMode.Execute));
        hybrid.Gradients(HybridFheMode.Torch);
    }

    [Fact]
    public void Run_throws_a_fault_that_the_caller_left()
    {
        using var scope = NewDisposeScope();
        using var backend = new ClearBackend { Fault = layer => layer.Direction == LayerDirection.Backward ? new TimeoutException() : null };
        using var hybrid = new HybridFixture(backend: backend);

        Assert.Throws<TimeoutException>(() => hybrid.Hybrid.Run(HybridFheMode.Execute, () =>
        {
            hybrid.Model.call(hybrid.Input).sum().backward();
            return 0;
        }));
    }

    [Fact]
    public void Traffic_counts_bytes_and_multiply_adds_of_both_halves()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        var before = hybrid.Hybrid.Backend.Traffic;
        Assert.Equal(default, before);
        Assert.Equal(0, before.ClientShare);
        Assert.Equal(0, before.PaddingShare);

        hybrid.Output(HybridFheMode.Execute);

        // 10 tokens are one group of 64 coefficients: 64 · (24 + 3) multiply-adds a feature.
        var traffic = hybrid.Hybrid.Backend.Traffic - before;
        Assert.Equal(3, traffic.Calls);
        Assert.Equal((3 * 10, 3 * 64), (traffic.Tokens, traffic.Coefficients));
        Assert.Equal(54 / 64.0, traffic.PaddingShare);
        Assert.Equal((3 * 64) + (4 * 10 * (24 + 37 + 19)), traffic.BytesUp);
        Assert.Equal((3 * 64) + (4 * 10 * (37 + 19 + 5)), traffic.BytesDown);
        Assert.Equal(10 * ((24 * 37) + (37 * 19) + (19 * 5)), traffic.ServerMultiplyAdds);
        Assert.Equal(64 * 27 * (24 + 37 + 37 + 19 + 19 + 5), traffic.ClientMultiplyAdds);
        Assert.Equal(traffic.ClientMultiplyAdds / (traffic.ClientMultiplyAdds + traffic.ServerMultiplyAdds), traffic.ClientShare);
        Assert.Equal(hybrid.Hybrid.Backend.Traffic, before + traffic);
    }

    [Fact]
    public void The_same_call_is_never_encrypted_twice_alike()
    {
        using var scope = NewDisposeScope();
        using var backend = new InProcessFheBackend();
        using var hybrid = new HybridFixture(backend: backend);

        Assert.NotEqual(hybrid.Output(HybridFheMode.Execute).Values(), hybrid.Output(HybridFheMode.Execute).Values());
    }

    [Fact]
    public void A_layer_that_was_not_prepared_is_named()
    {
        using var backend = new InProcessFheBackend();
        Assert.Null(backend.Seed);

        var exception = Assert.Throws<InvalidOperationException>(
            () => backend.Multiply(new LayerId("h.3.mlp.c_fc", LayerDirection.Backward), new float[4], 1, new float[4]));

        Assert.Equal(
            "Layer 'h.3.mlp.c_fc', backward: the backend was not prepared for this layer. Call CompileModel first.", exception.Message);
    }

    [Fact]
    public void A_hint_folder_serves_the_next_run_with_the_same_seed()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var options = new InProcessFheOptions { HintFolder = folder.At("hints"), MaxThreads = 1 };
        byte[] seed;
        using (var backend = new InProcessFheBackend(options))
        using (var hybrid = new HybridFixture(backend: backend))
        {
            hybrid.Gradients(HybridFheMode.Execute);
            seed = backend.Seed!.Bytes.ToArray();
        }

        var files = Directory.GetFiles(folder.At("hints")).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.Equal(6, files.Count);
        using (var backend = new InProcessFheBackend(options))
        using (var hybrid = new HybridFixture(backend: backend))
        {
            Assert.InRange(HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Execute), hybrid.Output(HybridFheMode.Disable)), 1e-7, 3e-4);
            Assert.Equal(seed, backend.Seed!.Bytes.ToArray());
        }

        Assert.Equal(files, Directory.GetFiles(folder.At("hints")).ToDictionary(file => file, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void A_hint_folder_of_other_weights_is_refused_by_the_layers_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var options = new InProcessFheOptions { HintFolder = folder.At("hints") };
        using var backend = new InProcessFheBackend(options);
        using (var first = new HybridFixture(backend: backend))
        {
            first.Output(HybridFheMode.Execute);
        }

        using var hybrid = new HybridFixture(options: new HybridCompileOptions { Bits = 9 }, backend: new InProcessFheBackend(options));
        hybrid.Output(HybridFheMode.Simulate);
        var exception = Assert.Throws<InvalidDataException>(() => hybrid.Output(HybridFheMode.Execute));

        Assert.Contains("'fc1'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_seed_file_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.At("public-matrix.seed"), new byte[5]);
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.At() });

        using var hybrid = new HybridFixture(backend: backend);

        var exception = Assert.Throws<InvalidDataException>(() => hybrid.Hybrid.PrepareExecute(cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("public-matrix.seed' has 5 bytes; a seed has 32", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backend_options_faults_are_reported_together()
    {
        var exception = Assert.Throws<ArgumentException>(() => new InProcessFheBackend(new InProcessFheOptions { HintFolder = "", MaxThreads = -1 }));

        Assert.Contains("HintFolder is empty", exception.Message, StringComparison.Ordinal);
        Assert.Contains("MaxThreads is -1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_holds_every_call_of_both_directions()
    {
        using var scope = NewDisposeScope();
        var calls = new List<(LayerId Layer, int Request, int Response)>();
        var recorder = new InsecureTranscriptRecorder(call => calls.Add((call.Layer, call.Request.Length, call.Response.Length)));
        using var backend = new InProcessFheBackend(new InProcessFheOptions(), KernelSecretSource.Instance, recorder);
        using var hybrid = new HybridFixture(backend: backend);

        hybrid.Gradients(HybridFheMode.Execute);

        Assert.Equal(
            [
                (new LayerId("fc1", LayerDirection.Forward), 64 + (4 * 10 * 24), 64 + (4 * 10 * 37)),
                (new LayerId("fc2", LayerDirection.Forward), 64 + (4 * 10 * 37), 64 + (4 * 10 * 19)),
                (new LayerId("fc3", LayerDirection.Forward), 64 + (4 * 10 * 19), 64 + (4 * 10 * 5)),
                (new LayerId("fc3", LayerDirection.Backward), 64 + (4 * 10 * 5), 64 + (4 * 10 * 19)),
                (new LayerId("fc2", LayerDirection.Backward), 64 + (4 * 10 * 19), 64 + (4 * 10 * 37)),
            ],
            calls);
    }

    [Fact]
    public void A_response_that_fails_its_check_ends_the_session()
    {
        using var scope = NewDisposeScope();
        var failures = 1;
        var recorder = new InsecureTranscriptRecorder(_ =>
        {
            if (failures-- > 0)
            {
                // Where decryption itself would throw.
                throw new InvalidDataException("the response is not W times the request");
            }
        });
        using var backend = new InProcessFheBackend(new InProcessFheOptions(), KernelSecretSource.Instance, recorder);
        using var hybrid = new HybridFixture(backend: backend);

        var failed = Assert.Throws<InvalidDataException>(() => hybrid.Output(HybridFheMode.Execute));
        Assert.Equal("Layer 'fc1', forward: the response is not W times the request", failed.Message);

        var traffic = backend.Traffic;
        var refused = Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Execute));
        Assert.StartsWith("Layer 'fc1', forward: an earlier call failed its check", refused.Message, StringComparison.Ordinal);
        Assert.Equal(traffic, backend.Traffic);

        hybrid.Hybrid.CompileModel(() => hybrid.Model.Gradients(hybrid.Input), cancellationToken: TestContext.Current.CancellationToken);
        hybrid.Output(HybridFheMode.Execute);
    }
}
