using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch.optim;

namespace LoraFhe;

/// <summary>An optimizer's state as bytes, in TorchSharp's own form.</summary>
internal static class OptimizerState
{
    /// <summary>Copies it out.</summary>
    /// <exception cref="NotSupportedException">The optimizer cannot save its state.</exception>
    public static byte[] Capture(Optimizer optimizer)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            Savable(optimizer).save_state_dict(writer);
        }

        return stream.ToArray();
    }

    /// <summary>Copies it in; if that fails, the optimizer is as it was.</summary>
    /// <exception cref="InvalidDataException">The state is another kind of optimizer's, or does not fit; the message names the file.</exception>
    public static void Restore(Optimizer optimizer, byte[] state, string path)
    {
        var savable = Savable(optimizer);
        var before = Capture(optimizer);
        try
        {
            Load(savable, state);
        }
        catch (Exception exception)
        {
            Load(savable, before);
            throw new InvalidDataException(Errors.CheckpointOptimizer(path, optimizer.GetType().Name), exception);
        }
    }

    /// <summary>Checks that a state would fit; the optimizer is as it was.</summary>
    /// <exception cref="InvalidDataException">It does not; the message names the file.</exception>
    public static void Check(Optimizer optimizer, byte[] state, string path)
    {
        var before = Capture(optimizer);
        Restore(optimizer, state, path);
        Load(Savable(optimizer), before);
    }

    public static OptimizerHelper Savable(Optimizer optimizer) =>
        optimizer as OptimizerHelper ?? throw new NotSupportedException(Errors.OptimizerNotSavable(optimizer.GetType().Name));

    private static void Load(OptimizerHelper optimizer, byte[] state)
    {
        // The state's tensors live as long as the optimizer: no scope of ours or of the caller's may take them.
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var reader = new BinaryReader(new MemoryStream(state), Encoding.UTF8);
        optimizer.load_state_dict(reader);
        scope.Detach(scope.DisposablesView.ToArray());
    }
}
