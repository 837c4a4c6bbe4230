using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What a training step on a model changes, put aside: gradients, buffers and torch's generator. Disposing puts all of it back.</summary>
/// <remarks>Optimizers and batches are not touched by a forward and a backward pass.</remarks>
internal sealed class ModelSnapshot : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor? Gradient)> _gradients = [];
    private readonly List<(Tensor Buffer, Tensor Copy)> _buffers = [];
    private readonly Tensor _generatorState;

    /// <summary>Takes a model's state; its parameters have no gradients from here on.</summary>
    public ModelSnapshot(nn.Module model)
    {
        _generatorState = random.get_rng_state().DetachFromDisposeScope();
        foreach (var parameter in model.parameters())
        {
            _gradients.Add((parameter, parameter.grad?.DetachFromDisposeScope()));
            parameter.grad = null;
        }

        foreach (var buffer in model.buffers())
        {
            _buffers.Add((buffer, buffer.detach().clone().DetachFromDisposeScope()));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using var noGraph = no_grad();
        foreach (var (parameter, _) in _gradients)
        {
            parameter.grad = null;
        }

        // After all of them: a tied weight can be listed twice, and only its first entry has what it had.
        foreach (var (parameter, gradient) in _gradients.Where(entry => entry.Gradient is not null))
        {
            parameter.grad = gradient;
            gradient!.Dispose();
        }

        foreach (var (buffer, copy) in _buffers)
        {
            // Returns the buffer itself, not another handle.
            buffer.copy_(copy);
            copy.Dispose();
        }

        random.set_rng_state(_generatorState);
        _generatorState.Dispose();
    }
}
