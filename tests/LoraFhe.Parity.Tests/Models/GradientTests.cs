using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>What backward leaves in every parameter.</summary>
public sealed class GradientTests
{
    [Theory]
    [Recorded("models", "grads")]
    public void Gradients_of_every_parameter_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = RecordedModel.Open(name);
        var expected = recorded.Golden.Expected["grads"];
        var tolerance = recorded.Golden.ToleranceOf("grads");

        recorded.Run(expected["case"].AsString).Loss!.backward();

        var parameters = recorded.Model.named_parameters().ToList();
        Assert.Equal(expected["params"].AsStrings, parameters.Select(entry => entry.name));
        foreach (var (parameter, value) in parameters)
        {
            Close.Within(tolerance, recorded.Golden.SingleTensor("grads", parameter), value.grad!, $"{name} gradient of {parameter}");
        }

        Close.Within(tolerance, expected["global_norm"].AsDouble, GlobalNorm(recorded), $"{name} norm of all gradients");
    }

    [Theory]
    [Recorded("models", "grads")]
    public void In_double_precision_their_norm_is_that_of_an_exact_run(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = RecordedModel.Open(name);
        var expected = recorded.Golden.Expected["grads"];
        recorded.Model.to(float64);

        recorded.Run(expected["case"].AsString).Loss!.backward();

        Close.Within(recorded.Golden.ToleranceOf("logits_f64"), expected["global_norm_float64"].AsDouble, GlobalNorm(recorded), $"{name} norm of all gradients");
    }

    private static double GlobalNorm(RecordedModel recorded) =>
        cat([.. recorded.Model.parameters().Select(parameter => parameter.grad!.flatten().to(float64))]).norm().item<double>();
}
