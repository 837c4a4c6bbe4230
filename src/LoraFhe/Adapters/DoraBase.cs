using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What DoRA asks of the layer that an adapter stands beside: its bias, and the row norms of W + s·B·A.</summary>
/// <remarks>
/// DoRA (arXiv 2402.09353) learns W' = m ∘ (W + s·B·A) / ‖W + s·B·A‖, the norm taken of each row and held constant in the backward pass. Where the float
/// weight computes, the norms come from it, as in peft. Where its integers do, here or under encryption, no weight is needed:
/// ‖W_o + s·(B·A)_o‖² = ‖W_o‖² + 2s·Σ_k B_ok·(W·Aᵀ)_ok + s²·(B·A·Aᵀ·Bᵀ)_oo, in which W·Aᵀ is one more product of r rows through the same layer
/// (docs/scheme.md, DoRA).
/// </remarks>
internal static class DoraBase
{
    /// <summary>The bias, [out], which is the layer's; null if it has none.</summary>
    public static Tensor? Bias(nn.Module layer) => layer switch
    {
        CustomLinear custom => custom.Bias,
        RemoteModule remote => remote.Bias,
        _ => FrozenLinear.Of(layer)?.Bias,
    };

    /// <summary>The norms of the rows of W + s·B·A, W being [out, in].</summary>
    /// <param name="layer">A linear layer or an embedding, or what hybrid training put in its place.</param>
    /// <param name="a">[r, in].</param>
    /// <param name="b">[out, r].</param>
    /// <param name="scaling">s.</param>
    /// <returns>[out], in A's type, without a graph; in the caller's dispose scope.</returns>
    public static Tensor Norms(nn.Module layer, Tensor a, Tensor b, double scaling)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var computing = Computing(layer);
        return (computing is RemoteModule { Computing: ({ } compiled, var mode) }
            ? FromProducts(compiled, mode, a, b, scaling).to(a.device)
            : FromWeight(Parts((computing as RemoteModule)?.PrivateModule ?? computing).Weight, a, b, scaling)).to(a.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Whether each output has a weight that is not zero: whether all norms that W gives can be divided by.</summary>
    /// <param name="layer">A linear layer or an embedding as the user made it.</param>
    public static bool HasDirections(nn.Module layer)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var weight = Parts(layer).Weight;
        return weight.Weight.ne(0).any(weight.Transposed ? 0 : 1).all().item<bool>();
    }

    private static FrozenLinear Parts(nn.Module layer) =>
        FrozenLinear.Of(layer) ?? throw new NotSupportedException(Errors.NoWeightForDora(layer.GetType()));

    private static nn.Module Computing(nn.Module layer) => layer is CustomLinear custom ? custom.ForwardModule : layer;

    private static Tensor FromWeight(FrozenWeight weight, Tensor a, Tensor b, double scaling)
    {
        var matrix = (weight.Transposed ? weight.Weight.t() : weight.Weight).to(a.dtype);
        return linalg.vector_norm(matrix + scaling * b.matmul(a), dims: [1]);
    }

    // In double precision: the norm may be far shorter than what is added up.
    private static Tensor FromProducts(FrozenShare layer, HybridFheMode mode, Tensor a, Tensor b, double scaling)
    {
        var (rows, factors) = (a.cpu().to(float64), b.cpu().to(float64));
        var crossed = layer.Project(a, mode).to(float64).t().mul(factors).sum(1);
        var squares = factors.matmul(rows.matmul(rows.t())).mul(factors).sum(1);
        return layer.SquaredRowNorms.add(crossed.mul(2 * scaling)).add(squares.mul(scaling * scaling)).clamp_min(0).sqrt();
    }
}
