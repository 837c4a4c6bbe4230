using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The targets that peft takes for a model when none are named, and what is known of a model by its type.</summary>
internal static class DefaultTargets
{
    private const string OutputLayerName = "lm_head";

    // model_type as config.json spells it, the start of our class names for it, peft's default targets.
    private static readonly (string ModelType, string ClassPrefix, TargetModules Targets)[] Table =
    [
        ("gpt2", "GPT2", ["c_attn"]),
        ("llama", "Llama", ["q_proj", "v_proj"]),
    ];

    /// <summary>The default targets, or null for a model that is not in the table.</summary>
    public static TargetModules? Of(nn.Module model)
    {
        var type = (model as IPretrainedModel)?.ModelType;
        return Table
            .FirstOrDefault(row => type is null
                ? model.GetType().Name.StartsWith(row.ClassPrefix, StringComparison.OrdinalIgnoreCase)
                : type.Equals(row.ModelType, StringComparison.OrdinalIgnoreCase))
            .Targets;
    }

    /// <summary>Whether the module turns hidden states into logits: the one the model declares, or one called <c>lm_head</c>.</summary>
    public static bool IsOutputEmbedding(nn.Module model, NamedModule place) =>
        (model as IPretrainedModel)?.OutputEmbeddings is { } declared
            ? ReferenceEquals(place.Module, declared)
            : place.Name == OutputLayerName || place.Name.EndsWith("." + OutputLayerName, StringComparison.Ordinal);
}
