using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Lets the bias of a frozen layer be trained, though the product that holds it was computed without a graph.</summary>
internal static class BiasGradient
{
    /// <summary>Lets the frozen layers of each <see cref="LoraModel"/> have it, which freezes all that no adapter trains; another model's biases may ask for
    /// gradients without anybody having thought of them.</summary>
    /// <param name="model">Such a model, or one that holds it.</param>
    public static void Allow(nn.Module model)
    {
        var adapted = ModuleSurgery.Descendants(model).Select(entry => entry.Module).Prepend(model).OfType<LoraModel>();
        foreach (var layer in adapted.SelectMany(holder => ModuleSurgery.Descendants(holder)).Select(entry => entry.Module))
        {
            switch (layer)
            {
                case CustomLinear custom:
                    custom.TrainsBias = true;
                    break;
                case RemoteModule remote:
                    remote.TrainsBias = true;
                    break;
            }
        }
    }

    /// <summary>Puts a bias into the graph of an output that has it as a summand: values do not change, and the bias gets the gradient's sum over all rows.</summary>
    /// <param name="output">[..., out], the bias included.</param>
    /// <param name="bias">[out], or null for none.</param>
    /// <returns><paramref name="output"/> itself if nobody wants the gradient.</returns>
    public static Tensor Attach(Tensor output, Tensor? bias)
    {
        if (bias is not { requires_grad: true } || !is_grad_enabled())
        {
            return output;
        }

        using var none = bias.sub(bias.detach());
        return output.add(none.to(output.dtype));
    }
}
