using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// What a micro batch changes beside gradients, as it was at the last update: torch's generator, the count of simulate's errors and running
/// statistics. Put back after an exception, so that the same batches give the same numbers.
/// </summary>
internal sealed class UpdateSnapshot(HybridFheModel hybrid, nn.Module model) : IDisposable
{
    private readonly List<(Tensor Buffer, Tensor Copy)> _statistics =
        [.. ModelState.Statistics(model).Select(entry => (entry.Tensor, entry.Tensor.detach().clone().DetachFromDisposeScope()))];

    private (long Seed, long Position) _simulation;

    /// <summary>Torch's generator at the last update.</summary>
    public byte[] RandomState { get; private set; } = [];

    /// <summary>Takes what is.</summary>
    /// <param name="randomState">Torch's generator, if it is not to be asked: a checkpoint's, which is not yet set.</param>
    public void Take(byte[]? randomState = null)
    {
        RandomState = randomState ?? LoraFhe.RandomState.Capture();
        _simulation = (hybrid.SimulationSeed, hybrid.SimulationPosition);
        Copy(from: entry => entry.Buffer, to: entry => entry.Copy);
    }

    /// <summary>Puts back all but torch's generator, which the next run sets once it has read its data.</summary>
    public void PutBack()
    {
        if (hybrid.SimulationSeed == _simulation.Seed)
        {
            hybrid.SeedSimulation(_simulation.Seed, _simulation.Position);
        }

        Copy(from: entry => entry.Copy, to: entry => entry.Buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, copy) in _statistics)
        {
            copy.Dispose();
        }
    }

    private void Copy(Func<(Tensor Buffer, Tensor Copy), Tensor> from, Func<(Tensor Buffer, Tensor Copy), Tensor> to)
    {
        using var noGraph = no_grad();
        foreach (var entry in _statistics)
        {
            // Returns the tensor itself, not another handle.
            to(entry).copy_(from(entry));
        }
    }
}
