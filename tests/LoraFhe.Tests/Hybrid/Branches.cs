using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Three layers that can be given one input, as an attention's are: how they are called is the test's.</summary>
internal sealed class Branches : nn.Module<Tensor, Tensor>
{
    public const int Inputs = 20;

    [ComponentName(Name = "q")]
    private readonly nn.Module<Tensor, Tensor> _q;

    [ComponentName(Name = "k")]
    private readonly nn.Module<Tensor, Tensor> _k;

    [ComponentName(Name = "v")]
    private readonly nn.Module<Tensor, Tensor> _v;

    // Something that is trained and changes an input.
    [ComponentName(Name = "lora_gate")]
    private readonly Parameter _gate = new(ones(Inputs));

    /// <summary>Layers of the seed's weights; k is stored transposed, v has no bias.</summary>
    public Branches(int seed = 1)
        : base(nameof(Branches))
    {
        _q = nn.Linear(Fixed(seed, 12, Inputs), Fixed(seed + 1, 12));
        _k = new Conv1D(Fixed(seed + 2, Inputs, 8), Fixed(seed + 3, 8));
        _v = nn.Linear(Fixed(seed + 4, 12, Inputs));
        RegisterComponents();
    }

    public nn.Module<Tensor, Tensor> Q => _q;

    public nn.Module<Tensor, Tensor> K => _k;

    public nn.Module<Tensor, Tensor> V => _v;

    public Parameter Gate => _gate;

    /// <summary>What a forward does; the plain attention-like use of all three at first.</summary>
    public Func<Branches, Tensor, Tensor> Run { get; set; } = (model, x) => Mix(model.Q.call(x), model.K.call(x), model.V.call(x));

    public override Tensor forward(Tensor input) => Run(this, input);

    /// <summary>Something that depends on each output differently.</summary>
    public static Tensor Mix(Tensor q, Tensor k, Tensor v) => cat([tanh(q) * v, tanh(k)], -1);

    /// <summary>The output, and the gradients of the input and the gate.</summary>
    public IReadOnlyList<Tensor> Results(Tensor values)
    {
        using var scope = NewDisposeScope();
        var x = values.detach().clone().requires_grad_();
        _gate.grad = null;
        var y = call(x);
        (y * HybridData.Normal(9, [.. y.shape])).sum().backward();
        BackwardFault.ThrowIfAny(this);
        var results = new[] { y.detach(), x.grad ?? zeros_like(x), _gate.grad ?? zeros_like(_gate) };
        return [.. results.Select(result => result.clone().MoveToOuterDisposeScope())];
    }

    /// <summary>Replaces the layers by <see cref="CustomLinear"/>, as training does.</summary>
    public Branches WithCustomLayers()
    {
        LoraTraining.ReplaceLayersWithCustom(this, 0);
        return this;
    }

    private static Parameter Fixed(int seed, params long[] shape) => new(HybridData.Normal(seed, shape) * 0.3, requires_grad: false);
}
