using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>A TorchSharp optimizer's state under PyTorch's names.</summary>
internal static class OptimizerTensors
{
    /// <summary>What the optimizer keeps of each parameter, in the parameters' order.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, Tensor>> Of(optim.Optimizer optimizer) => States(optimizer).Select(state => state switch
    {
        AdamW.State adam => new Dictionary<string, Tensor> { ["exp_avg"] = adam.exp_avg, ["exp_avg_sq"] = adam.exp_avg_sq, ["step"] = (float)adam.step },
        SGD.State sgd => new Dictionary<string, Tensor> { ["momentum_buffer"] = sgd.momentum_buffer },
        _ => throw new InvalidOperationException($"{state.GetType().Name} is of no recorded optimizer."),
    });

    /// <summary>Sets it.</summary>
    /// <param name="optimizer">A fresh one.</param>
    /// <param name="values">A tensor of the state, by its name and its parameter's place.</param>
    public static void Set(optim.Optimizer optimizer, Func<string, int, Tensor> values)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (i, state) in States(optimizer).Index())
        {
            if (state is AdamW.State adam)
            {
                adam.exp_avg.copy_(values("exp_avg", i));
                adam.exp_avg_sq.copy_(values("exp_avg_sq", i));
                adam.step = (long)values("step", i).item<float>();
            }
            else
            {
                ((SGD.State)state).momentum_buffer = values("momentum_buffer", i).clone().DetachFromDisposeScope();
            }
        }
    }

    /// <summary>All of it and the options, in TorchSharp's own form.</summary>
    public static byte[] Bytes(optim.Optimizer optimizer)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        ((OptimizerHelper)optimizer).save_state_dict(writer);
        writer.Flush();
        return stream.ToArray();
    }

    private static List<TorchSharp.Modules.OptimizerState> States(optim.Optimizer optimizer) => ((OptimizerHelper)optimizer).state_dict().State;
}
