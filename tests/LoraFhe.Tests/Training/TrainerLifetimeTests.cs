using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>What a trainer does when it is called again, in the midst, or after its end.</summary>
public sealed class TrainerLifetimeTests
{
    [Fact]
    public void An_exception_of_the_progress_falls_back_to_the_last_update_and_the_next_call_goes_on()
    {
        using var run = new SmallRun(dropout: 0);

        // Step 3 is the first of two that share an update.
        Assert.Throws<TimeoutException>(() => run.Trainer.Train(run.Loader, 2, HybridFheMode.Torch, progress: FailAt(3), cancellationToken: Cancellation.Token));
        Assert.Equal(2, run.Losses.Count);
        run.Trainer.Train(run.Loader, 2, HybridFheMode.Torch, cancellationToken: Cancellation.Token);

        using var whole = new SmallRun(dropout: 0);
        whole.Train(HybridFheMode.Torch, 2);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }

    [Fact]
    public void Train_inside_of_train_is_refused_and_the_outer_one_goes_on()
    {
        using var run = new SmallRun();
        var refused = 0;
        var nested = new ImmediateProgress<TrainingProgress>(_ =>
        {
            var error = Assert.Throws<InvalidOperationException>(() => run.Trainer.Train([run.Inputset], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
            Assert.StartsWith("Train is running already", error.Message, StringComparison.Ordinal);
            refused++;
        });
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, progress: nested, cancellationToken: Cancellation.Token);
        Assert.Equal(7, refused);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void Compiled_twice_it_trains_as_compiled_once()
    {
        using var once = new SmallRun();
        once.Train(HybridFheMode.Simulate, 1);
        using var twice = new SmallRun();
        twice.Trainer.Compile(twice.Inputset, nBits: 10, cancellationToken: Cancellation.Token);
        twice.Train(HybridFheMode.Simulate, 1);
        Assert.Equal(once.Losses, twice.Losses);
        Assert.Equal(once.Weights(), twice.Weights());
    }

    [Fact]
    public void Without_a_number_of_bits_each_layer_gets_its_own()
    {
        using var run = new SmallRun();
        run.Trainer.Compile(run.Inputset, nBits: null, cancellationToken: Cancellation.Token);

        // For so few inputs the noise is nothing beside the weights' rounding: more bits are always better.
        Assert.Equal([12, 12, 12], run.Trainer.HybridModel.Layers.Select(layer => layer.Weights.Bits));
        var error = Assert.Throws<ArgumentException>(() => run.Trainer.Compile(run.Inputset, nBits: 7, cancellationToken: Cancellation.Token));
        Assert.Contains("Bits is 7; 8 to 12 was expected", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_dynamic_quantization_longer_rows_are_counted_in_a_warning()
    {
        using var run = new SmallRun(dropout: 0);
        using var calibration = new Batch(run.Inputset.Input! * 0.25, run.Inputset.Labels);
        run.Trainer.Compile(calibration, useDynamicQuantization: false, cancellationToken: Cancellation.Token);
        run.Trainer.Train([run.Inputset], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);

        using var lengths = run.Inputset.Input!.norm(1, false, 2f);
        var longer = lengths.data<float>().Count(length => length > run.Trainer.HybridModel.Layers[0].ForwardNorm!.Value);
        Assert.InRange(longer, 1, 4);
        Assert.Contains(
            $"Layer 'fc1', Forward: {longer} rows are longer than any of the calibration batch and were scaled down to it. "
            + "Compile with a wider batch, or with dynamic quantization.", run.Logger.Lines);
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Execute)]
    public void Evaluation_in_the_midst_of_an_encrypted_run_changes_nothing_of_it(HybridFheMode mode)
    {
        var seen = new List<(bool Training, HybridFheMode Mode)>();
        SmallRun? watched = null;
        using var run = watched = new SmallRun(evalSteps: 2, evalMetricFn: (model, loader) =>
        {
            seen.Add((model.modules().Any(module => module.training), watched!.Trainer.HybridModel.Mode));
            return Metrics.Accuracy(model, loader);
        });
        run.Train(mode, 1);

        // The mode stays set, as in the reference; no module, dropout included, trains meanwhile.
        Assert.Equal([(false, mode), (false, mode), (false, mode)], seen);
        Assert.All(run.Model.modules(), module => Assert.True(module.training));
        if (mode == HybridFheMode.Disable)
        {
            using var unwatched = new SmallRun();
            unwatched.Train(mode, 1);
            Assert.Equal(unwatched.Losses, run.Losses);
            Assert.Equal(unwatched.Weights(), run.Weights());
        }
    }

    [Fact]
    public void Disposed_of_twice_it_leaves_the_model_and_frees_the_log_file()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        var trainer = new LoraTrainer(model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), trainLogPath: folder.At("training.log"));
        using Batch batch = (randn(2, 6), randn(2, 3));
        trainer.Compile(batch, cancellationToken: Cancellation.Token);
        trainer.Train([batch], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        trainer.Dispose();
        trainer.Dispose();

        using (File.Open(folder.At("training.log"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
        }

        using var output = ((nn.Module<Tensor, Tensor>)model.Model).call(batch.Input!);
        Assert.Equal([2, 3], output.shape);
        Assert.Throws<ObjectDisposedException>(() => trainer.Train([batch], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
    }

    [Fact]
    public void Neither_folder_of_a_deployment_holds_what_is_the_other_sides()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun();
        run.Train(HybridFheMode.Disable, 1);
        var frozen = run.Model.named_parameters().Where(entry => !entry.parameter.requires_grad && entry.parameter.dim() == 2)
            .Select(entry => Values(entry.parameter)).ToList();
        var mine = run.Model.named_parameters().Where(entry => entry.parameter.requires_grad || entry.parameter.dim() == 1)
            .ToDictionary(entry => entry.name, entry => Values(entry.parameter));
        Assert.Equal((3, 9), (frozen.Count, mine.Count));

        run.Trainer.SaveAndClearPrivateInfo(folder.Path);

        Assert.Equal(["client/model.safetensors", "server/frozen_layers.safetensors"], Files(folder.Path));
        using var client = SafetensorsFile.Open(folder.At("client/model.safetensors"));
        Assert.Equal(mine.Count, client.Entries.Count);
        Assert.All(client.Entries, entry => Assert.DoesNotContain(frozen, weight => weight.AsSpan().SequenceEqual(client.ReadSingles(entry.Name))));
        Assert.Equal(
            mine.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value),
            client.Entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => client.ReadSingles(entry.Name)));
        using var server = SafetensorsFile.Open(folder.At("server/frozen_layers.safetensors"));
        Assert.Equal(
            ["fc1.codes", "fc1.scales", "fc2.codes", "fc2.scales", "fc3.codes", "fc3.scales"],
            server.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.All(
            server.Entries.Where(entry => entry.Name.EndsWith(".scales", StringComparison.Ordinal)),
            entry => Assert.DoesNotContain(mine.Values, value => value.AsSpan().SequenceEqual(server.ReadSingles(entry.Name))));
    }

    private static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().contiguous().data<float>().ToArray();
    }

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

    private static ImmediateProgress<TrainingProgress> FailAt(int step) => new(done =>
    {
        if (done.GlobalStep == step)
        {
            throw new TimeoutException();
        }
    });
}
