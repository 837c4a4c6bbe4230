using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Devices that this libtorch does not serve: it has the CPU only.</summary>
public sealed class TrainingDeviceTests
{
    public static TheoryData<string, string> Unserved => new()
    {
        { "cuda", "Device 'cuda' is not available to this libtorch. Use 'cpu', or add the TorchSharp package of that device to the program." },
        { "cuda:1", "Device 'cuda:1' is not available to this libtorch. Use 'cpu', or add the TorchSharp package of that device to the program." },
        { "mps", "Device 'mps' is not available to this libtorch. Use 'cpu', or add the TorchSharp package of that device to the program." },
        { "meta", "Training cannot run on device 'meta'. Use 'cpu', 'cuda' or 'mps'." },
        { "xla:0", "Training cannot run on device 'xla:0'. Use 'cpu', 'cuda' or 'mps'." },
        { "cpu:1", "Device 'cpu:1' does not exist: this libtorch sees 1 of its kind, counted from 0." },
    };

    [Theory]
    [MemberData(nameof(Unserved))]
    public void A_device_that_is_not_served_is_an_error_with_its_cure_and_nothing_changed(string device, string message)
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Model.eval();
        var (weights, logged) = (run.Weights(), run.Logger.Lines.Count);

        var error = Assert.Throws<NotSupportedException>(() =>
            run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, new Device(device), cancellationToken: Cancellation.Token));

        Assert.Equal(message, error.Message);
        Assert.Equal(weights, run.Weights());
        Assert.Equal(0, run.Loader.Made);
        Assert.Empty(run.Losses);
        Assert.Equal(logged, run.Logger.Lines.Count);
        Assert.Empty(folder.Names());
        Assert.False(run.Model.training);
        Assert.All(run.Model.parameters(), parameter => Assert.Equal(DeviceType.CPU, parameter.device_type));
    }

    [Fact]
    public void A_type_that_libtorch_does_not_know_is_refused_too()
    {
        using var run = new SmallRun();
        var error = Assert.Throws<NotSupportedException>(() =>
            run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, new Device((DeviceType)77), cancellationToken: Cancellation.Token));
        Assert.Equal("Training cannot run on device '77'. Use 'cpu', 'cuda' or 'mps'.", error.Message);
    }

    [Fact]
    public void After_the_error_the_same_trainer_trains_on_the_CPU_as_if_nothing_had_been()
    {
        using var whole = new SmallRun();
        whole.Train(HybridFheMode.Torch, 2);

        using var run = new SmallRun();
        Assert.Throws<NotSupportedException>(() =>
            run.Trainer.Train(run.Loader, 2, HybridFheMode.Torch, new Device("mps"), cancellationToken: Cancellation.Token));
        run.Trainer.Train(run.Loader, 2, HybridFheMode.Torch, new Device("cpu:0"), cancellationToken: Cancellation.Token);

        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }
}
