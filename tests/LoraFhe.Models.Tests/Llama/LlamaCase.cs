using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A recorded Llama: its folder is a model folder with inputs and outputs beside the weights.</summary>
internal sealed class LlamaCase : IDisposable
{
    public static readonly string[] Names =
    [
        "llama-bf16", "llama-bias", "llama-f16", "llama-gqa", "llama-headdim", "llama-hubold", "llama-linear", "llama-linear-oldcfg",
        "llama-llama3", "llama-llama3-oldcfg", "llama-mha", "llama-sharded", "llama-theta", "llama-tied",
    ];

    private readonly Golden _golden;

    private LlamaCase(string name)
    {
        _golden = Golden.Open("models/" + name);
        Model = LlamaForCausalLM.FromPretrained(_golden.Folder);
    }

    public static TheoryData<string> All => [.. Names];

    public LlamaForCausalLM Model { get; }

    public Golden Golden => _golden;

    public static LlamaCase Open(string name) => new(name);

    public double Tolerance(string what) => _golden.Expected["tolerance_abs"][what].AsDouble;

    public Tensor Int64s(string name) => Int64s("io", name);

    public Tensor Int64s(string file, string name)
    {
        var recorded = _golden.Int64s(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }

    public Tensor Singles(string file, string name)
    {
        var recorded = _golden.Singles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float32);
    }

    public Tensor Doubles(string file, string name)
    {
        var recorded = _golden.Doubles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float64);
    }

    public void Dispose()
    {
        Model.Dispose();
        _golden.Dispose();
    }
}
