using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>What the models predict, for one text and for padded ones, in both precisions.</summary>
public sealed class LogitsTests
{
    [Theory]
    [Recorded("models", "generation")]
    public void Logits_and_losses_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = RecordedModel.Open(name);
        foreach (var label in recorded.Cases)
        {
            var (expected, output) = (recorded.Case(label), recorded.Run(label));
            var tolerance = recorded.Golden.ToleranceOf("logits");
            Assert.Equal(expected["shape"].AsInt64s, recorded.Ids(label).shape);
            Assert.Equal(expected["num_target_tokens"].AsInt64, TargetTokens.Count(recorded.Labels(label), shifted: true));

            // What a padded place predicts means nothing: eager, sdpa and double precision all differ there.
            Close.Where(recorded.Compared(label), tolerance, recorded.Golden.SingleTensor("io", label + ".logits"), output.Logits!, $"{name} {label}.logits");
            Close.Within(recorded.Golden.ToleranceOf("loss"), expected["loss"].AsDouble, output.Loss!.item<float>(), $"{name} {label} loss");
            Close.Within(tolerance, expected["logits_abs_max"].AsDouble, output.Logits![recorded.Mask(label).ne(0)].abs().max().item<float>(), $"{name} {label} largest");
            foreach (var (row, mean) in expected["mean_logits_abs_per_row_of_kept"].AsDoubles.Index())
            {
                var kept = output.Logits![row][recorded.Mask(label)[row].ne(0)];
                Close.Within(tolerance, mean, kept.abs().mean().item<float>(), $"{name} {label} mean of row {row}");
            }
        }

        Assert.Subset(recorded.Cases.ToHashSet(), new HashSet<string> { "b1", "left", "left_pos", "right" });
    }

    [Theory]
    [Recorded("models", "generation")]
    public void In_double_precision_they_are_those_of_an_exact_run(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = RecordedModel.Open(name);
        recorded.Model.to(float64);
        foreach (var label in recorded.Cases)
        {
            var output = recorded.Run(label);

            Close.Within(recorded.Golden.ToleranceOf("logits_f64"), recorded.Case(label)["loss_float64"].AsDouble, output.Loss!.item<double>(), $"{name} {label} loss");
            if (label == "b1")
            {
                Close.Within(recorded.Golden.ToleranceOf("logits_f64"), recorded.Golden.DoubleTensor("io", label + ".logits_f64"), output.Logits!, $"{name} {label}.logits_f64");
            }
        }
    }

    [Theory]
    [Recorded("models", "hidden_states")]
    public void Hidden_states_after_every_layer_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = RecordedModel.Open(name);
        var tensors = recorded.Golden.Expected["hidden_states"]["tensors"].AsStrings;
        var label = recorded.Golden.Expected["hidden_states"]["case"].AsString;

        var states = recorded.Model.HiddenStates(recorded.Ids(label));

        Assert.Equal(tensors.Length, states.Count);
        foreach (var (tensor, state) in tensors.Zip(states))
        {
            Close.Within(recorded.Golden.ToleranceOf("hidden"), recorded.Golden.SingleTensor("io", tensor), state, $"{name} {tensor}");
        }
    }

    [Theory]
    [Recorded("models", "saved_dtype!=float32")]
    public void From_weights_in_half_precision_they_are_as_far_from_a_run_in_half_precision_as_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = RecordedModel.Open(name);

        var distance = (recorded.Run("b1").Logits! - recorded.Golden.SingleTensor("io", "b1.logits_native")).abs().max().item<float>();

        var expected = recorded.Case("b1")["native_dtype_logits_max_diff_to_float32"].AsDouble;
        Close.Within(recorded.Golden.ToleranceOf("logits"), expected, distance, $"{name} distance");
    }

    // transformers computes norms, softmax and rotary angles of a Llama in single precision whatever its type: what it calls double is not.
    [Fact]
    public void Double_precision_is_more_exact_than_that_of_transformers()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = RecordedModel.Open("llama-gqa");
        recorded.Model.to(float64);

        var distance = (recorded.Run("b1").Logits! - recorded.Golden.DoubleTensor("io", "b1.logits_f64_hf")).abs().max().item<double>();

        Assert.InRange(distance, 1e-7, recorded.Golden.ToleranceOf("logits"));
    }
}
