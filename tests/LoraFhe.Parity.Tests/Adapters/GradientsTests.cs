using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>The gradient of everything that an adapter trains.</summary>
public sealed class GradientsTests
{
    [Theory]
    [Recorded("adapters", "name!=llama-bf16file", "name!=gpt2-f16file", "name!=llama-init-pissa-converted")]
    public void Gradients_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);

        AssertGradients(recorded, (_, gradient) => gradient, recorded.Golden.ToleranceOf("grads"));
    }

    // Recorded before the adapter was rounded for its file, says the case: the values that it had then are nowhere.
    [Theory]
    [Recorded("adapters", "name=llama-bf16file")]
    [Recorded("adapters", "name=gpt2-f16file")]
    public void Gradients_of_an_adapter_that_its_file_rounds_are_those_of_Python_to_the_rounding(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);

        // What the rounding was seen to do to the logits.
        AssertGradients(recorded, (_, gradient) => gradient, recorded.Expected["max_abs_diff_reloaded_vs_in_memory"].AsDouble);
    }

    // Recorded before the adapter was converted, says the case: A and B then are the first half of A and B now, and as W + s·[B, −B₀]·[A; A₀] is the weight
    // that it was, so are their gradients.
    [Theory]
    [Recorded("adapters", "name=llama-init-pissa-converted")]
    public void Gradients_of_a_converted_adapter_are_in_their_first_half_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);

        AssertGradients(recorded, (parameter, gradient) => gradient.narrow(parameter.Contains("lora_A", StringComparison.Ordinal) ? 0 : 1, 0, 4), recorded.Golden.ToleranceOf("grads"));
    }

    private static void AssertGradients(AdapterCase recorded, Func<string, Tensor, Tensor> part, double tolerance)
    {
        using var adapted = recorded.Load(isTrainable: true);

        recorded.Answer(adapted.Model).Loss!.backward();

        var trained = adapted.named_parameters().Where(entry => entry.parameter.requires_grad).ToDictionary(entry => FileName(entry.name), entry => entry.parameter);
        Assert.Empty(recorded.Expected["trainable_without_grad"].Items);
        Assert.Equal(recorded.Golden.Tensors("grads").Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal), trained.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, parameter) in trained)
        {
            var expected = recorded.Golden.SingleTensor("grads", name);
            Close.Within(tolerance, expected, part(name, parameter.grad!), $"{recorded.Expected["name"].AsString} {name}");
        }
    }

    private static string FileName(string parameter) => $"{parameter}.".Replace(".default.", ".", StringComparison.Ordinal).TrimEnd('.');
}
