using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What hooks need to know of a layer's type: which input costs nothing, and how a second object shares its parameters.</summary>
internal static class HookableLayer
{
    private const string WeightName = "weight";
    private const string BiasName = "bias";

    /// <summary>Whether a layer of this type accepts no rows at all, does nothing with them, and so can be hooked.</summary>
    public static bool Knows(nn.Module module) => module is Linear or Conv1D or Embedding;

    /// <summary>An input of no rows, which the layer computes at no cost.</summary>
    public static Tensor NoRows(nn.Module<Tensor, Tensor> layer) => layer switch
    {
        Linear linear => empty([0, linear.weight.shape[1]], dtype: linear.weight.dtype, device: linear.weight.device),
        Conv1D conv => empty([0, conv.in_features], dtype: conv.weight.dtype, device: conv.weight.device),
        _ => empty([0], dtype: ScalarType.Int64, device: Weight(layer).device),
    };

    /// <summary>Whether <see cref="Twin"/> makes one.</summary>
    public static bool HasTwin(nn.Module layer) => layer is Linear or Conv1D;

    /// <summary>Another layer of the same parameters, not of their copies; null for a type that has options nobody can read.</summary>
    public static nn.Module<Tensor, Tensor>? Twin(nn.Module<Tensor, Tensor> layer)
    {
        nn.Module<Tensor, Tensor>? twin = layer switch
        {
            Linear linear => nn.Linear(linear.weight, linear.bias),
            Conv1D conv => new Conv1D(conv.weight, conv.bias),
            _ => null,
        };
        twin?.train(layer.training);
        return twin;
    }

    /// <summary>The layer's weight as registered; invalid if another holder disposed of it, as moving a twin does.</summary>
    public static Parameter Weight(nn.Module layer) => layer.get_parameter(WeightName)!;

    /// <summary>Lets a layer share a twin's parameters again. Its own are not disposed of.</summary>
    public static void Share(nn.Module<Tensor, Tensor> layer, nn.Module<Tensor, Tensor> twin)
    {
        foreach (var (name, parameter) in twin.named_parameters(recurse: false))
        {
            TorchInternals.SetParameter(layer, name, parameter);
        }
    }

    /// <summary>Puts empty parameters in place of a layer's, which are not disposed of: other layers may share them.</summary>
    public static void LetGo(nn.Module<Tensor, Tensor> layer)
    {
        var weight = Weight(layer);
        var (dtype, device) = weight.IsInvalid ? (get_default_dtype(), CPU) : (weight.dtype, weight.device);
        switch (layer)
        {
            case Linear linear:
                TorchInternals.SetParameter(linear, WeightName, Empty(0, linear.in_features));
                break;
            case Conv1D conv:
                TorchInternals.SetParameter(conv, WeightName, Empty(Width(0), 0));
                break;
            case Embedding embedding:
                embedding.weight = Empty(0, Width(1));
                break;
        }

        if (layer.get_parameter(BiasName) is not null)
        {
            TorchInternals.SetParameter(layer, BiasName, Empty(0));
        }

        long Width(int dimension) => weight.IsInvalid || weight.dim() < 2 ? 0 : weight.shape[dimension];

        Parameter Empty(params long[] shape) =>
            (Parameter)new Parameter(empty(shape, dtype: dtype, device: device), requires_grad: false).DetachFromDisposeScope();
    }
}
