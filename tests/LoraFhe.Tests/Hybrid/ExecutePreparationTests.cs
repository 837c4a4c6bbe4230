using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>When a backend is made ready, and what is left where that fails or is stopped.</summary>
public sealed class ExecutePreparationTests
{
    [Fact]
    public void Modes_in_clear_ask_nothing_of_the_backend_and_execute_once()
    {
        using var scope = NewDisposeScope();
        using var backend = new AskedBackend();
        using var hybrid = new HybridFixture(backend: backend);
        foreach (var mode in new[] { HybridFheMode.Torch, HybridFheMode.Disable, HybridFheMode.Simulate })
        {
            hybrid.Gradients(mode);
        }

        Assert.Empty(backend.Asked);
        hybrid.Gradients(HybridFheMode.Execute);
        hybrid.Output(HybridFheMode.Simulate);
        hybrid.Hybrid.PrepareExecute(cancellationToken: Cancellation.Token);
        hybrid.Gradients(HybridFheMode.Execute);

        Assert.Equal([3], backend.Asked);
    }

    [Fact]
    public void Without_execute_no_hint_is_made()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.Path });
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Gradients(HybridFheMode.Disable);
        hybrid.Gradients(HybridFheMode.Simulate);
        Assert.Null(backend.Seed);
        Assert.Empty(folder.Names());

        hybrid.Hybrid.PrepareExecute(cancellationToken: Cancellation.Token);

        Assert.Equal(
            ["fc1.forward.hint", "fc2.backward.hint", "fc2.forward.hint", "fc3.backward.hint", "fc3.forward.hint", "public-matrix.seed"],
            folder.Names().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_module_that_is_called_in_execute_without_the_model_makes_everything_ready_first()
    {
        using var scope = NewDisposeScope();
        using var backend = new AskedBackend();
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Hybrid.Mode = HybridFheMode.Execute;
        Assert.Empty(backend.Asked);

        hybrid.Model.call(hybrid.Input);

        Assert.Equal([3], backend.Asked);
    }

    [Fact]
    public void Progress_that_is_given_is_told_and_that_of_the_compilation_is_not()
    {
        using var hybrid = new HybridFixture(compile: false);
        var (compiled, prepared) = (new List<FheProgress>(), new List<FheProgress>());
        hybrid.Hybrid.CompileModel(
            () => hybrid.Model.Gradients(hybrid.Input), progress: new ImmediateProgress<FheProgress>(compiled.Add), cancellationToken: Cancellation.Token);
        Assert.DoesNotContain(compiled, report => report.Stage == FheStage.Prepare);
        var before = compiled.Count;

        hybrid.Hybrid.PrepareExecute(new ImmediateProgress<FheProgress>(prepared.Add), Cancellation.Token);

        Assert.Equal(before, compiled.Count);
        Assert.Equal(["fc1", "fc2", "fc2", "fc3", "fc3"], prepared.Select(report => report.Layer));
        Assert.All(prepared, report => Assert.Equal((FheStage.Prepare, 5), (report.Stage, report.Total)));
    }

    [Fact]
    public void A_preparation_that_fails_leaves_the_other_modes_and_is_tried_again()
    {
        using var scope = NewDisposeScope();
        using var backend = new AskedBackend { Fault = new TimeoutException("mine") };
        using var hybrid = new HybridFixture(backend: backend);
        var before = hybrid.Output(HybridFheMode.Disable);

        Assert.Equal("mine", Assert.Throws<TimeoutException>(() => hybrid.Output(HybridFheMode.Execute)).Message);
        HybridData.AssertSame(before, hybrid.Output(HybridFheMode.Disable));
        backend.Fault = null;
        hybrid.Output(HybridFheMode.Execute);

        Assert.Equal([3, 3], backend.Asked);
    }

    [Fact]
    public void An_exception_of_the_progress_reaches_the_caller_and_execute_works_afterwards()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();

        Assert.Throws<TimeoutException>(() => hybrid.Hybrid.PrepareExecute(new ImmediateProgress<FheProgress>(_ => throw new TimeoutException()), Cancellation.Token));

        Assert.InRange(HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Execute), hybrid.Output(HybridFheMode.Disable)), 1e-7, 3e-4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stopped_in_the_midst_of_the_hints_training_stands_where_it_did_and_begins_when_called_again(bool keepsHints)
    {
        using var folder = new TemporaryFolder();
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = keepsHints ? folder.Path : null });
        using var run = new SmallRun(backend: backend);
        using var stop = new CancellationTokenSource();
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token, progress: new ImmediateProgress<FheProgress>(report =>
        {
            if (report is { Stage: FheStage.Prepare, Completed: 2 })
            {
                stop.Cancel();
            }
        }));
        var weights = run.Weights();

        Assert.ThrowsAny<OperationCanceledException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: stop.Token));

        Assert.Empty(run.Losses);
        Assert.Equal(weights, run.Weights());
        Assert.Equal(keepsHints ? 2 : 0, folder.Names().Count(name => name.EndsWith(".hint", StringComparison.Ordinal)));
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void Compiled_again_or_cleared_a_model_lets_go_of_what_was_made_ready()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var backend = new AskedBackend();
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Output(HybridFheMode.Execute);

        hybrid.Hybrid.CompileModel(() => hybrid.Model.Gradients(hybrid.Input), new HybridCompileOptions { Bits = 9 }, cancellationToken: Cancellation.Token);
        Assert.Equal([3, 0], backend.Asked);
        hybrid.Output(HybridFheMode.Execute);
        hybrid.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        Assert.Equal([3, 0, 3, 0], backend.Asked);
    }

    [Fact]
    public void Before_compilation_and_after_disposal_it_is_refused()
    {
        var hybrid = new HybridFixture(compile: false);
        Assert.Contains(
            "Call Compile first", Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.PrepareExecute(cancellationToken: Cancellation.Token)).Message, StringComparison.Ordinal);
        hybrid.Dispose();
        Assert.Throws<ObjectDisposedException>(() => hybrid.Hybrid.PrepareExecute(cancellationToken: Cancellation.Token));
    }

    /// <summary>Notes for how many layers it was asked to make ready, and can be told to fail at it; computes zeros.</summary>
    private sealed class AskedBackend : IFheBackend
    {
        public List<int> Asked { get; } = [];

        public Exception? Fault { get; set; }

        public string Name => "asked";

        public FheTraffic Traffic => default;

        public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
        {
            Asked.Add(layers.Count);
            if (Fault is { } fault)
            {
                throw fault;
            }
        }

        public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination) => destination.Clear();

        public void Dispose()
        {
        }
    }
}
