using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Adapters that start as a part of the layer's own weight, which loses that part: PiSSA and OLoRA.</summary>
/// <remarks>
/// With W the weight as [out, in] and s the adapter's scaling, the layer keeps W − s·B·A. PiSSA (arXiv 2404.02948): of W = U·S·Vᵀ the r
/// largest singular values, B = U·√(S/s), A = √(S/s)·Vᵀ. OLoRA (arXiv 2406.01775): of W = Q·R the first r columns and rows, B = Q, A = R.
/// Only B·A counts: it does not depend on the signs that a decomposition happens to give. As peft, in single precision at least.
/// </remarks>
internal static class BaseFactors
{
    /// <summary>Whether adapters of this scheme change the weights of the layers they stand beside.</summary>
    public static bool ChangeBase(InitLoraWeights scheme) => scheme is InitLoraWeights.Pissa or InitLoraWeights.Olora;

    /// <summary>Why a layer cannot have an adapter that starts so, or null if it can.</summary>
    /// <param name="scheme">Any scheme.</param>
    /// <param name="name">The layer's, for the text.</param>
    /// <param name="shape">Its widths and its weight.</param>
    /// <param name="options">The adapter's rank and scaling.</param>
    public static string? Fault(InitLoraWeights scheme, string name, LinearShape shape, LayerAdapter options)
    {
        if (scheme == InitLoraWeights.Orthogonal && options.R % 2 != 0)
        {
            return Errors.OddRank(name, options.R);
        }

        if (!ChangeBase(scheme))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var most = Math.Min(shape.InFeatures, shape.OutFeatures);
        return options.R > most ? Errors.RankAboveWeight(name, scheme.ToString(), options.R, most)
            : scheme == InitLoraWeights.Pissa && options.Scaling <= 0 ? Errors.ScalingNotPositive(name, options.LoraAlpha)
            : scheme == InitLoraWeights.Olora && shape.IsTransposed ? Errors.OloraTransposed(name)
            : !shape.Weight.isfinite().all().item<bool>() ? Errors.WeightNotFinite(name)
            : null;
    }

    /// <summary>The factors of the weight that an adapter starts as.</summary>
    /// <returns>A [r, in] and B [out, r], in the caller's dispose scope.</returns>
    public static (Tensor A, Tensor B) Of(InitLoraWeights scheme, LinearShape shape, LayerAdapter options)
    {
        var weight = shape.Weight.detach();
        var exact = weight.to(weight.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32);
        var matrix = shape.IsTransposed ? exact.t() : exact;
        return scheme == InitLoraWeights.Pissa ? PrincipalPart(matrix, options) : OrthonormalPart(matrix, options.R);
    }

    private static (Tensor A, Tensor B) PrincipalPart(Tensor matrix, LayerAdapter options)
    {
        var (u, s, vh) = linalg.svd(matrix, fullMatrices: false);
        var root = s.narrow(0, 0, options.R).div(options.Scaling).sqrt();
        return (root.unsqueeze(1).mul(vh.narrow(0, 0, options.R)), u.narrow(1, 0, options.R).mul(root));
    }

    private static (Tensor A, Tensor B) OrthonormalPart(Tensor matrix, int rank)
    {
        var (q, r) = linalg.qr(matrix);
        return (r.narrow(0, 0, rank), q.narrow(1, 0, rank));
    }
}
