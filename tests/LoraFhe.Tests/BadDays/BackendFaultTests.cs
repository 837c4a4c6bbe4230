using LoraFhe.Cryptography;
using LoraFhe.Tests.Hybrid;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.BadDays;

/// <summary>Backends that answer nonsense, or nothing.</summary>
public sealed class BackendFaultTests
{
    [Theory]
    [InlineData("not a number", LayerDirection.Forward)]
    [InlineData("not a number", LayerDirection.Backward)]
    [InlineData("infinite", LayerDirection.Forward)]
    [InlineData("nothing", LayerDirection.Forward)]
    [InlineData("nothing", LayerDirection.Backward)]
    [InlineData("one too few", LayerDirection.Forward)]
    public void What_a_backend_leaves_out_or_spoils_is_never_taken_for_a_product(string answer, LayerDirection direction)
    {
        var backend = new Spoiling(answer, direction);
        using var run = new SmallRun(backend: backend);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var weights = run.Weights();

        var error = Assert.Throws<InvalidDataException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token));

        Assert.Matches($"^Layer 'fc[123]', {direction.ToString().ToLowerInvariant()}: backend 'spoiling' gave a value that is not finite, or not all", error.Message);
        Assert.Equal(weights, run.Weights());
        Assert.Empty(run.Losses);
        backend.IsSound = true;
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void A_backend_that_cannot_be_made_ready_stops_training_before_its_first_batch_and_other_modes_work_on()
    {
        using var run = new SmallRun(backend: new Unprepared());
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        Assert.Throws<TimeoutException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token));
        Assert.Empty(run.Losses);
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Simulate, cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void A_backend_that_was_disposed_of_early_is_an_error_that_names_the_layer_and_another_compilation_mends_it()
    {
        using var backend = new InProcessFheBackend();
        using var run = new SmallRun(backend: backend);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        run.Trainer.HybridModel.PrepareExecute(cancellationToken: Cancellation.Token);
        backend.Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token));
        Assert.StartsWith("Layer 'fc1', forward: the backend was not prepared", error.Message, StringComparison.Ordinal);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void Compiling_again_in_the_midst_of_a_run_does_not_go_back_to_an_older_checkpoint()
    {
        using var folder = new LoraFhe.Fixtures.TemporaryFolder();
        var (fails, calls) = (true, 0);
        using var run = new SmallRun(folder.Path, backend: new ClearBackend
        {
            Fault = _ => fails && ++calls == 60 ? new InvalidDataException("the session is over") : null,
        });
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        Assert.Throws<InvalidDataException>(() => run.Trainer.Train(run.Loader, 2, HybridFheMode.Execute, cancellationToken: Cancellation.Token));
        fails = false;
        var done = run.Losses.Count;
        Assert.InRange(done, 8, 13);
        Assert.Equal((1, done), run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
        run.Trainer.Train(run.Loader, 2, HybridFheMode.Execute, cancellationToken: Cancellation.Token);

        using var whole = new SmallRun(backend: new ClearBackend());
        whole.Train(HybridFheMode.Execute, 2);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }

    [Theory]
    [InlineData(HybridFheMode.Disable, false)]
    [InlineData(HybridFheMode.Simulate, false)]
    [InlineData(HybridFheMode.Execute, true)]
    public void Only_where_something_could_be_sent_is_it_said_that_nothing_was(HybridFheMode mode, bool saysSo)
    {
        using var run = new SmallRun();
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        using var batch = new Batch(run.Inputset.Input! * float.NaN, run.Inputset.Labels);
        var error = Assert.Throws<NotFiniteNumberException>(() => run.Trainer.Train([batch], 1, mode, cancellationToken: Cancellation.Token));
        Assert.StartsWith("Step 1: Layer 'fc1', forward: the input has a value that is not finite.", error.Message, StringComparison.Ordinal);
        Assert.Equal(saysSo, error.Message.EndsWith("Nothing was sent.", StringComparison.Ordinal));
    }

    private sealed class Spoiling(string answer, LayerDirection direction) : IFheBackend
    {
        private readonly ClearBackend _inner = new();

        public bool IsSound { get; set; }

        public string Name => "spoiling";

        public FheTraffic Traffic => _inner.Traffic;

        public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken) =>
            _inner.Prepare(layers, progress, cancellationToken);

        public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
        {
            if (IsSound || layer.Direction != direction)
            {
                _inner.Multiply(layer, rows, tokens, destination);
                return;
            }

            switch (answer)
            {
                case "not a number":
                    _inner.Multiply(layer, rows, tokens, destination);
                    destination[^1] = float.NaN;
                    break;
                case "infinite":
                    destination.Fill(float.NegativeInfinity);
                    break;
                case "one too few":
                    destination[1..].Clear();
                    break;
                default:
                    break;
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Unprepared : IFheBackend
    {
        public string Name => "unprepared";

        public FheTraffic Traffic => default;

        public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken) => throw new TimeoutException();

        public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
