using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>A model with an adapter that peft 0.21.2 saved answers as in Python.</summary>
public sealed class AnswersTests
{
    [Theory]
    [Recorded("adapters")]
    public void Logits_and_loss_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();

        var output = recorded.Answer(adapted.Model);

        recorded.AssertLogits("logits_adapter", output.Logits!);
        Close.Within(recorded.Golden.ToleranceOf("loss"), recorded.Expected["loss"].AsDouble, output.Loss!.item<float>(), $"{name} loss");
    }

    [Theory]
    [Recorded("adapters")]
    public void They_are_as_far_from_the_bare_models_as_in_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();
        using var bare = recorded.Bare();

        var difference = recorded.LargestDifference(recorded.Answer(adapted.Model).Logits!, recorded.Answer(bare).Logits!);

        Close.Within(recorded.Golden.ToleranceOf("logits_adapter"), recorded.Expected["max_abs_diff_adapter_vs_base"].AsDouble, difference, $"{name} difference");
    }

    [Theory]
    [Recorded("adapters", "name!=llama-init-pissa", "name!=llama-init-olora")]
    public void In_double_precision_logits_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);

        AssertDoubles(recorded, recorded.Golden.ToleranceOf("logits_adapter_f64_row0"));
    }

    [Theory]
    [Recorded("adapters", "name=llama-init-pissa")]
    [Recorded("adapters", "name=llama-init-olora")]
    public void In_double_precision_logits_of_a_model_that_was_decomposed_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            // The weight lost its part in single precision, in Python as here, and the last bits of that are a matter of LAPACK's code for the processor.
            var kind = Decomposition.IsAsRecorded() ? "logits_adapter_f64_row0" : "logits_adapter";
            TestContext.Current.TestOutputHelper?.WriteLine($"Compared under the tolerance of {kind}.");
            AssertDoubles(recorded, recorded.Golden.ToleranceOf(kind));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private static void AssertDoubles(AdapterCase recorded, double tolerance)
    {
        using var adapted = recorded.Load();
        adapted.to(ScalarType.Float64);

        recorded.AssertLogits("logits_adapter_f64_row0", recorded.Answer(adapted.Model, firstRowOnly: true).Logits!, tolerance);
    }
}
