using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Against the recorded run of Concrete ML 1.9.0 with peft 0.12.0 and torch 2.13.0.</summary>
public sealed class LoraGoldenTests
{
    private static readonly LoraConfig Config = new() { R = 4, LoraAlpha = 8, TargetModules = ["fc1", "fc2", "fc3", "fc4"] };

    [Fact]
    public void The_parameters_of_the_adapted_MLP_have_pefts_names()
    {
        using var golden = Golden.Open("concrete-ml/mlp");
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var recorded = golden.Tensors("init").Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal);

        Assert.Equal(recorded, model.named_parameters().Select(entry => entry.name).Order(StringComparer.Ordinal));
        Assert.Equal(recorded, model.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            golden.Json("case.json")["trainable"].AsStrings,
            model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
    }

    [Fact]
    public void The_adapted_MLP_answers_as_pefts()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("concrete-ml/mlp");
        using var model = Load(golden);
        var expected = golden.Singles("forward", "logits.train.0");

        var logits = ((SimpleMlp)model.Model).call(Tensor(golden, "train.0.x"));

        Assert.Equal(expected.Shape, logits.shape);
        AssertClose(expected.Values, logits, 1e-5);
    }

    [Fact]
    public void The_adapted_MLP_gets_pefts_gradients_and_the_frozen_layers_none()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("concrete-ml/mlp");
        using var model = Load(golden);
        var labels = tensor(golden.Int64s("data", "train.0.y_ce").Values);

        nn.functional.cross_entropy(((SimpleMlp)model.Model).call(Tensor(golden, "train.0.x")), labels).backward();

        foreach (var (name, parameter) in model.named_parameters())
        {
            if (name.Contains("lora", StringComparison.Ordinal))
            {
                AssertClose(golden.Singles("runs/torch_skip0_ce_sgd", "grad1." + name).Values, parameter.grad!, 1e-6);
            }
            else
            {
                Assert.Null(parameter.grad);
            }
        }
    }

    private static LoraModel Load(Golden golden)
    {
        var model = LoraModel.Apply(new SimpleMlp(), Config);
        using var noGradients = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            parameter.copy_(tensor(golden.Singles("init", name).Values, parameter.shape));
        }

        return model;
    }

    private static Tensor Tensor(Golden golden, string name)
    {
        var recorded = golden.Singles("data", name);
        return tensor(recorded.Values, recorded.Shape);
    }

    private static void AssertClose(float[] expected, Tensor actual, double tolerance)
    {
        var values = actual.detach().contiguous().data<float>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        var largest = expected.Zip(values, (left, right) => Math.Abs(left - right)).Max();
        Assert.True(largest <= tolerance, $"The largest difference is {largest}; {tolerance} is allowed.");
    }
}
