using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class MasksAheadTests : IDisposable
{
    // One seed for all backends of a test: the same secrets make the same noise.
    private readonly TemporaryFolder _hints = new();

    [Fact]
    public void Results_traffic_and_the_order_of_calls_are_the_same_with_and_without()
    {
        using var scope = NewDisposeScope();
        var (plainCalls, calls) = (new List<LayerId>(), new List<LayerId>());
        using var plainBackend = Backend(new ConstantRoot(), masks: null, plainCalls);
        using var backend = Backend(new ConstantRoot(), new MasksAheadOptions(), calls);
        using HybridFixture plain = new(backend: plainBackend), hybrid = new(backend: backend);

        for (var step = 0; step < 4; step++)
        {
            var expected = plain.Gradients(HybridFheMode.Execute).Select(gradient => gradient.Values()).ToList();
            Assert.Equal(expected, hybrid.Gradients(HybridFheMode.Execute).Select(gradient => gradient.Values()));
            backend.Masks!.WaitUntilIdle();
        }

        Assert.Equal(plainBackend.Traffic, backend.Traffic);
        Assert.Equal(plainCalls, calls);

        // Nothing can be foreseen in the first step; in the third and fourth all was.
        Assert.InRange(backend.Masks!.Taken, 2 * 5, 4 * 5);
    }

    [Fact]
    public void Off_is_the_default_and_draws_nothing_ahead()
    {
        using var scope = NewDisposeScope();
        var source = new ConstantRoot();
        using var backend = Backend(source, masks: null);
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Gradients(HybridFheMode.Execute);
        hybrid.Gradients(HybridFheMode.Execute);
        Assert.Null(new InProcessFheOptions().MasksAhead);
        Assert.Null(backend.Masks);
        Assert.Equal(0, source.Ahead);
    }

    [Fact]
    public void Batches_of_other_sizes_are_computed_as_ever()
    {
        using var scope = NewDisposeScope();
        using var plainBackend = Backend(new ConstantRoot(), masks: null);
        using var backend = Backend(new ConstantRoot(), new MasksAheadOptions());
        using HybridFixture plain = new(backend: plainBackend), hybrid = new(backend: backend);
        for (var step = 0; step < 12; step++)
        {
            var input = HybridData.Normal(step, [1, 1 + (step * 7 % 5), AdaptedMlp.Inputs]);
            Assert.Equal(plain.Output(HybridFheMode.Execute, input).Values(), hybrid.Output(HybridFheMode.Execute, input).Values());
        }
    }

    [Fact]
    public void A_fault_in_the_background_is_thrown_by_the_next_call()
    {
        using var scope = NewDisposeScope();
        using var backend = Backend(new ConstantRoot { FailsAfter = 2 }, new MasksAheadOptions());
        using var hybrid = new HybridFixture(backend: backend);
        var fault = Assert.Throws<IOException>(() =>
        {
            for (var step = 0; step < 3; step++)
            {
                hybrid.Gradients(HybridFheMode.Execute);
                backend.Masks!.WaitUntilIdle();
            }
        });
        Assert.Equal("the random device was taken away", fault.Message);
        Assert.Equal(0, backend.Masks!.Length);
    }

    [Fact]
    public void A_failed_session_and_a_disposed_backend_keep_no_mask()
    {
        using var scope = NewDisposeScope();
        var fails = false;
        var recorder = new InsecureTranscriptRecorder(_ =>
        {
            if (fails)
            {
                throw new InvalidDataException("the response is not W times the request");
            }
        });
        var options = new InProcessFheOptions { MasksAhead = new MasksAheadOptions() };
        using var backend = new InProcessFheBackend(options, KernelSecretSource.Instance, recorder);
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Gradients(HybridFheMode.Execute);
        hybrid.Gradients(HybridFheMode.Execute);
        var masks = backend.Masks!;
        masks.WaitUntilIdle();
        Assert.True(masks.Length > 0);

        fails = true;
        Assert.Throws<InvalidDataException>(() => hybrid.Gradients(HybridFheMode.Execute));
        Assert.Equal(0, masks.Length);

        fails = false;
        hybrid.Hybrid.CompileModel(() => hybrid.Model.Gradients(hybrid.Input), cancellationToken: TestContext.Current.CancellationToken);
        hybrid.Gradients(HybridFheMode.Execute);
        hybrid.Gradients(HybridFheMode.Execute);
        masks = backend.Masks!;
        masks.WaitUntilIdle();
        Assert.True(masks.Length > 0);
        backend.Dispose();
        Assert.Null(backend.Masks);
        Assert.Equal(0, masks.Length);
    }

    [Fact]
    public void Wrong_options_are_all_named()
    {
        var options = new InProcessFheOptions { MasksAhead = new MasksAheadOptions { MemoryBudget = 0, MaxAge = TimeSpan.FromSeconds(61) } };
        var message = Assert.Throws<ArgumentException>(() => new InProcessFheBackend(options)).Message;
        Assert.Contains("MasksAhead.MemoryBudget is 0 bytes; a positive number was expected.", message, StringComparison.Ordinal);
        Assert.Contains("MasksAhead.MaxAge is 00:01:01; more than 0 and at most 00:01:00 was expected.", message, StringComparison.Ordinal);
        Assert.Single(new MasksAheadOptions { MaxAge = TimeSpan.Zero }.Validate());
        Assert.Empty(new MasksAheadOptions().Validate());
    }

    public void Dispose() => _hints.Dispose();

    private InProcessFheBackend Backend(SecretSource source, MasksAheadOptions? masks, List<LayerId>? calls = null)
    {
        var recorder = calls is null ? null : new InsecureTranscriptRecorder(call => calls.Add(call.Layer));
        return new InProcessFheBackend(new InProcessFheOptions { HintFolder = _hints.Path, MasksAhead = masks, MaxThreads = 1 }, source, recorder);
    }
}
