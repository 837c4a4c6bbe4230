using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Lets the bias of a frozen layer be trained, though the product that holds it was computed without a graph.</summary>
internal static class BiasGradient
{
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
