using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Three frozen layers, each with a small trainable product beside it, as an adapter has: gradients flow through every frozen layer
/// but the first.</summary>
internal sealed class AdaptedMlp : nn.Module<Tensor, Tensor>
{
    public const int Inputs = 24;
    public const int Outputs = 5;

    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1;

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2;

    [ComponentName(Name = "fc3")]
    private readonly nn.Module<Tensor, Tensor> _fc3;

    [ComponentName(Name = "lora_1")]
    private readonly nn.Module<Tensor, Tensor> _lora1;

    [ComponentName(Name = "lora_2")]
    private readonly nn.Module<Tensor, Tensor> _lora2;

    [ComponentName(Name = "lora_3")]
    private readonly nn.Module<Tensor, Tensor> _lora3;

    public AdaptedMlp(int seed = 1)
        : base(nameof(AdaptedMlp))
    {
        _fc1 = Frozen(nn.Linear(Inputs, 37), seed);
        _fc2 = FrozenConv1D(37, 19, seed + 10);
        _fc3 = Frozen(nn.Linear(19, Outputs, hasBias: false), seed + 20);
        _lora1 = Trainable(nn.Linear(Inputs, 37, hasBias: false), seed + 30);
        _lora2 = Trainable(nn.Linear(37, 19, hasBias: false), seed + 40);
        _lora3 = Trainable(nn.Linear(19, Outputs, hasBias: false), seed + 50);
        RegisterComponents();
    }

    public IReadOnlyList<Parameter> Adapters => [.. parameters().Where(parameter => parameter.requires_grad)];

    public override Tensor forward(Tensor input)
    {
        var hidden = tanh(_fc1.call(input) + _lora1.call(input));
        hidden = tanh(_fc2.call(hidden) + _lora2.call(hidden));
        return _fc3.call(hidden) + _lora3.call(hidden);
    }

    /// <summary>The adapters' gradients of a fixed scalar of the output, for one batch; the gradients are cleared afterwards.</summary>
    public IReadOnlyList<Tensor> Gradients(Tensor input)
    {
        using (NewDisposeScope())
        {
            (call(input) * HybridData.Normal(99, [.. input.shape[..^1], Outputs])).sum().backward();
            BackwardFault.ThrowIfAny(this);
        }

        var gradients = Adapters.Select(parameter => parameter.grad!.clone()).ToList();
        zero_grad();
        return gradients;
    }

    /// <summary>Replaces the frozen layers after the first few by <see cref="CustomLinear"/>, as training does.</summary>
    public AdaptedMlp WithCustomLayers(int skip = 0)
    {
        foreach (var name in new[] { "fc1", "fc2", "fc3" }.Skip(skip))
        {
            var layer = this.named_children().Single(child => child.name == name).module;
            ModuleSurgery.Replace(this, name, layer is Conv1D conv
                ? new CustomLinear(conv.weight, conv.bias, weightTransposed: true)
                : new CustomLinear(((Linear)layer).weight, ((Linear)layer).bias));
        }

        return this;
    }

    private static Linear Frozen(Linear layer, int seed)
    {
        var trainable = Trainable(layer, seed);
        foreach (var parameter in trainable.parameters())
        {
            parameter.requires_grad = false;
        }

        return trainable;
    }

    private static Conv1D FrozenConv1D(int inputs, int outputs, int seed) => new(
        new Parameter(HybridData.Normal(seed, inputs, outputs) * 0.1, requires_grad: false),
        new Parameter(HybridData.Normal(seed + 1, outputs) * 0.1, requires_grad: false));

    private static Linear Trainable(Linear layer, int seed)
    {
        layer.weight = new Parameter(HybridData.Normal(seed, [.. layer.weight.shape]) * 0.2);
        if (layer.bias is not null)
        {
            layer.bias = new Parameter(HybridData.Normal(seed + 1, [.. layer.bias.shape]) * 0.2);
        }

        return layer;
    }
}
