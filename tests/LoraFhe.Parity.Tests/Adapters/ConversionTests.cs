using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>PiSSA and OLoRA adapters saved as plain LoRA for the model as it was.</summary>
public sealed class ConversionTests
{
    [Theory]
    [Recorded("adapters", "name=llama-init-pissa")]
    [Recorded("adapters", "name=llama-init-olora")]
    public void Converted_an_adapter_answers_as_before_on_the_model_as_it_was(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using (var model = recorded.Load())
        {
            model.SavePretrained(folder.Path, convertToLora: true);
        }

        using var converted = LoraModel.FromPretrained(recorded.Bare(), folder.Path);

        Assert.Equal((8, 16.0, InitLoraWeights.KaimingUniform), (converted.Config.R, converted.Config.LoraAlpha, converted.Config.InitLoraWeights));
        recorded.AssertLogits("logits_adapter", recorded.Answer(converted.Model).Logits!);
    }

    [Fact]
    public void The_converted_file_is_pefts_but_for_the_signs_of_singular_vectors()
    {
        using var scope = NewDisposeScope();
        using var pissa = AdapterCase.Open("llama-init-pissa");
        using var recorded = AdapterCase.Open("llama-init-pissa-converted");
        using var folder = new TemporaryFolder();
        using (var model = pissa.Load())
        {
            model.SavePretrained(folder.Path, convertToLora: true);
        }

        using var file = SafetensorsFile.Open(folder.At("adapter_model.safetensors"));
        foreach (var entry in recorded.Golden.Tensors("adapter_model").Entries)
        {
            // The trained half has its signs from the file, the first values' half from the decomposition.
            var (expected, actual) = (recorded.Golden.SingleTensor("adapter_model", entry.Name), tensor(file.ReadSingles(entry.Name), [.. file.Entry(entry.Name).Shape]));
            var (dimension, half) = entry.Name.Contains("lora_A", StringComparison.Ordinal) ? (0, 4) : (1, 4);
            Close.Within(0, expected.narrow(dimension, 0, half), actual.narrow(dimension, 0, half), entry.Name);
            Close.Within(recorded.Golden.ToleranceOf("merged_weight"), expected.narrow(dimension, half, half).abs(), actual.narrow(dimension, half, half).abs(), entry.Name);
        }
    }
}
