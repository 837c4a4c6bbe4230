using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A model of two layers with adapters whose values were recorded, and batches for it.</summary>
internal sealed class SmallModel : IDisposable
{
    private readonly Golden _golden;

    /// <param name="family"><c>llama</c> or <c>gpt2</c>.</param>
    public SmallModel(string family)
    {
        _golden = Golden.Open("concrete-ml/" + family);
        var recorded = _golden.Json("case.json");
        var architecture = JsonNode.Parse(recorded["config"].Element.GetRawText())!.AsObject();
        CausalLanguageModel model = family == Gpt2Config.ModelType
            ? new Gpt2LMHeadModel(Gpt2Config.Parse(architecture.ToJsonString()))
            : new LlamaForCausalLM(LlamaConfig.Parse(architecture.ToJsonString()));
        Model = LoraModel.Apply(model, new LoraConfig
        {
            R = recorded["lora"]["r"].AsInt32,
            LoraAlpha = recorded["lora"]["lora_alpha"].AsDouble,
            TargetModules = recorded["lora"]["target_modules"].AsStrings,
            TaskType = TaskType.CausalLm,
        });
        using var noGrad = no_grad();
        foreach (var (name, parameter) in Model.named_parameters())
        {
            using var initial = tensor(_golden.Singles("init", name).Values, parameter.shape);
            parameter.copy_(initial);
        }
    }

    public LoraModel Model { get; }

    public List<Batch> TrainBatches => [.. Enumerable.Range(0, 7).Select(i => ReadBatch($"train.{i}."))];

    public Batch Inputset => ReadBatch("inputset.0.");

    public void Dispose()
    {
        Model.Dispose();
        _golden.Dispose();
    }

    private Batch ReadBatch(string prefix) => new(new[] { "input_ids", "attention_mask", "labels" }.Select(key =>
    {
        var recorded = _golden.Int64s("data", prefix + key);
        return KeyValuePair.Create(key, tensor(recorded.Values, recorded.Shape));
    }));
}
