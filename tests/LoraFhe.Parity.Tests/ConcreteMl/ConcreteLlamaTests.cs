using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>The adapted Llama of Concrete ML 1.9.0's recorded runs (peft 0.12.0, transformers 4.46.3): names of all parameters, and logits.</summary>
public sealed class ConcreteLlamaTests
{
    [Fact]
    public void The_adapted_Llama_has_pefts_names_and_answers_as_pefts()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("concrete-ml/llama");
        using var adapted = Make(golden);
        Assert.Equal(
            golden.Tensors("init").Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal),
            adapted.named_parameters().Select(entry => entry.name).Order(StringComparer.Ordinal));
        Assert.Equal(
            golden.Json("case.json")["trainable"].AsStrings,
            adapted.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
        Fill(adapted, golden);

        var mask = Int64s(golden, "train.0.attention_mask");
        var logits = ((LlamaForCausalLM)adapted.Model).call(Int64s(golden, "train.0.input_ids"), mask, null).Logits!;

        var recorded = golden.Singles("forward", "logits.train.0");
        Close.Where(mask, 1e-4, tensor(recorded.Values, recorded.Shape), logits, "logits");
    }

    private static LoraModel Make(Golden golden)
    {
        var config = JsonNode.Parse(File.ReadAllText(golden.File("case.json")))!["config"]!.AsObject();
        config["model_type"] = "llama";
        var lora = golden.Json("case.json")["lora"];
        return LoraModel.Apply(new LlamaForCausalLM(LlamaConfig.Parse(config.ToJsonString())), new LoraConfig
        {
            R = lora["r"].AsInt32,
            LoraAlpha = lora["lora_alpha"].AsDouble,
            TargetModules = lora["target_modules"].AsStrings,
            TaskType = TaskType.CausalLm,
        });
    }

    private static void Fill(LoraModel adapted, Golden golden)
    {
        using var noGradients = no_grad();
        foreach (var (name, parameter) in adapted.named_parameters())
        {
            parameter.copy_(tensor(golden.Singles("init", name).Values, parameter.shape));
        }
    }

    private static Tensor Int64s(Golden golden, string name)
    {
        var recorded = golden.Int64s("data", name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }
}
