using LoraFhe.Fixtures;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>The smallest of the recorded networks, <c>fc3(tanh(fc2(tanh(fc1(x)))))</c>.</summary>
internal sealed class TanhMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1;

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2;

    [ComponentName(Name = "fc3")]
    private readonly nn.Module<Tensor, Tensor> _fc3;

    private TanhMlp(GoldenJson config)
        : base(nameof(TanhMlp))
    {
        Assert.Equal("y = fc3(act(fc2(act(fc1(x)))))", config["architecture"].AsString);
        Assert.Equal("tanh", config["activation"].AsString);
        var hidden = config["hidden"].AsInt32;
        _fc1 = nn.Linear(config["in"].AsInt32, hidden);
        _fc2 = nn.Linear(hidden, hidden);
        _fc3 = nn.Linear(hidden, config["out"].AsInt32);
        RegisterComponents();
    }

    /// <summary>Reads the recorded weights.</summary>
    /// <param name="name">The folder below <c>tests/fixtures</c>.</param>
    public static TanhMlp Load(string name)
    {
        using var golden = Golden.Open(name);
        var model = new TanhMlp(golden.Json("config.json"));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (parameterName, parameter) in model.named_parameters())
        {
            var stored = golden.Singles("model", parameterName);
            parameter.copy_(tensor(stored.Values, stored.Shape));
        }

        return model;
    }

    public override Tensor forward(Tensor x) => _fc3.call(_fc2.call(_fc1.call(x).tanh()).tanh());
}
