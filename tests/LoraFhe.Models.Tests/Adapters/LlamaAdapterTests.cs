using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Adapters that peft 0.21.2 trained and saved, on the recorded Llamas: answers, loss and gradients.</summary>
public sealed class LlamaAdapterTests
{
    /// <summary>All that stand on a causal Llama and need no DoRA.</summary>
    public static TheoryData<string> Adapters => [.. Directory.EnumerateDirectories(RepositoryFolder.Fixture("adapters"), "llama-*")
        .Select(folder => Path.GetFileName(folder)!)
        .Where(name => !name.Contains("dora", StringComparison.Ordinal) && !name.Contains("seqcls", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void With_pefts_adapter_a_model_answers_as_in_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);
        var mask = Int64s(golden, "attention_mask");

        var output = Model(adapted).call(Int64s(golden, "input_ids"), mask, Int64s(golden, "labels"));

        Close.Where(mask, Tolerance(golden, "logits_adapter"), Singles(golden, "io", "logits_adapter"), output.Logits!, name);
        Assert.Equal(golden.Expected["loss"].AsDouble, output.Loss!.item<float>(), Tolerance(golden, "loss"));
    }

    // Not among them: llama-bf16file, whose gradients were recorded before the adapter was rounded, and llama-init-pissa-converted, whose were
    // recorded before it was converted.
    public static TheoryData<string> AdaptersInSinglePrecision =>
        [.. Adapters.Select(row => row.Data).Where(name => name is not ("llama-bf16file" or "llama-init-pissa-converted"))];

    [Theory]
    [MemberData(nameof(AdaptersInSinglePrecision))]
    public void The_gradients_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);

        Model(adapted).call(Int64s(golden, "input_ids"), Int64s(golden, "attention_mask"), Int64s(golden, "labels")).Loss!.backward();

        var recorded = golden.Tensors("grads").Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal);
        var trained = adapted.named_parameters().Where(entry => entry.parameter.requires_grad).ToArray();
        Assert.Equal(recorded, trained.Select(entry => FileName(entry.name)).Order(StringComparer.Ordinal));
        foreach (var (parameterName, parameter) in trained)
        {
            Close.Within(Tolerance(golden, "grads"), Singles(golden, "grads", FileName(parameterName)), parameter.grad!, parameterName);
        }
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void In_double_precision_a_model_answers_as_in_Python_to_nine_digits(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);
        adapted.to(ScalarType.Float64);
        var recorded = golden.Doubles("io", "logits_adapter_f64_row0");
        var mask = Int64s(golden, "attention_mask")[0..1];

        // A weight that was factored lost its part in single precision, and decompositions round differently on other machines.
        var tolerance = name is "llama-init-pissa" or "llama-init-olora" ? 1e-5 : Tolerance(golden, "logits_adapter_f64_row0");

        var output = Model(adapted).call(Int64s(golden, "input_ids")[0..1], mask, null);

        Close.Where(mask, tolerance, tensor(recorded.Values, recorded.Shape).unsqueeze(0), output.Logits!, name);
    }

    private static LoraModel Load(Golden golden) => LoraModel.FromPretrained(
        LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture(golden.Expected["base_model"].AsString.Split('/'))), golden.Folder, isTrainable: true);

    private static LlamaForCausalLM Model(LoraModel adapted) => (LlamaForCausalLM)adapted.Model;

    private static string FileName(string parameterName) => $"{parameterName}.".Replace(".default.", ".", StringComparison.Ordinal).TrimEnd('.');

    private static double Tolerance(Golden golden, string what) => golden.Expected["tolerance_abs"][what].AsDouble;

    private static Tensor Int64s(Golden golden, string name)
    {
        var recorded = golden.Int64s("io", name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }

    private static Tensor Singles(Golden golden, string file, string name)
    {
        var recorded = golden.Singles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float32);
    }
}
