using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The A and B that an adapter took out of its layer's weight when it was made (<see cref="BaseFactors"/>); they do not change.</summary>
/// <remarks>They are buffers, so that they move with the model, and no part of its state: the same weight gives them again.</remarks>
internal sealed class InitialFactors : nn.Module
{
    private const string NameOfA = "A";
    private const string NameOfB = "B";

    /// <param name="a">[r, in]; copied.</param>
    /// <param name="b">[out, r]; copied.</param>
    /// <param name="scaling">s.</param>
    public InitialFactors(Tensor a, Tensor b, double scaling) : base(nameof(InitialFactors))
    {
        Scaling = scaling;
        register_buffer(NameOfA, a.detach().clone().DetachFromDisposeScope(), persistent: false);
        register_buffer(NameOfB, b.detach().clone().DetachFromDisposeScope(), persistent: false);
    }

    /// <summary>s.</summary>
    public double Scaling { get; }

    /// <summary>The first A, [r, in].</summary>
    public Tensor A => get_buffer(NameOfA)!;

    /// <summary>The first B, [out, r].</summary>
    public Tensor B => get_buffer(NameOfB)!;

    /// <summary>s·B·A, [out, in].</summary>
    public Tensor Product() => B.matmul(A).mul(Scaling);

    /// <summary>s·B·A·x, in the factors' type.</summary>
    public Tensor Apply(Tensor input) => input.to(A.dtype).matmul(A.t()).matmul(B.t()).mul(Scaling);
}
