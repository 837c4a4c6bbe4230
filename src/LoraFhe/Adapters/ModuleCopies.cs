using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Copies modules, parameters included.</summary>
internal static class ModuleCopies
{
    /// <summary>Whether <see cref="Of"/> knows how.</summary>
    public static bool CanCopy(nn.Module module) =>
        module is ICopyableModule or Linear or Conv1D or Embedding or LayerNorm && module is nn.Module<Tensor, Tensor>;

    /// <summary>A module that computes the same from parameters of its own, in the same mode; <see cref="CanCopy"/> was asked.</summary>
    /// <remarks>TorchSharp tells no embedding's <c>padding_idx</c>: the copy has none.</remarks>
    public static nn.Module<Tensor, Tensor> Of(nn.Module module)
    {
        using var noGradients = no_grad();
        nn.Module<Tensor, Tensor> copy = module switch
        {
            ICopyableModule own => own.Copy(),
            Linear linear => nn.Linear(CopyOf(linear.weight), linear.bias is { } bias ? CopyOf(bias) : null),
            Conv1D conv => new Conv1D(CopyOf(conv.weight), conv.bias is { } bias ? CopyOf(bias) : null),
            Embedding embedding => CopyOf(embedding),
            LayerNorm norm => CopyOf(norm),
            _ => throw new NotSupportedException(),
        };
        copy.train(module.training);
        foreach (var parameter in copy.parameters())
        {
            // A model adapted inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }

        return copy;
    }

    private static Embedding CopyOf(Embedding embedding)
    {
        // Neither made by Embedding_from_pretrained nor read from what that registers: see EmbeddingWeight.
        using var weight = embedding.weight!;
        var copy = nn.Embedding(weight.shape[0], weight.shape[1], device: weight.device, dtype: weight.dtype);
        EmbeddingWeight.Of(copy).copy_(weight);
        return copy;
    }

    private static LayerNorm CopyOf(LayerNorm norm)
    {
        var copy = nn.LayerNorm(norm.normalized_shape, norm.eps, norm.elementwise_affine, norm.bias is not null);
        if (norm.elementwise_affine)
        {
            copy.weight = CopyOf(norm.weight);
        }

        if (norm.bias is { } bias)
        {
            copy.bias = CopyOf(bias);
        }

        return copy;
    }

    private static Parameter CopyOf(Parameter parameter) => (Parameter)parameter.detach().clone().AsParameter().DetachFromDisposeScope();
}
