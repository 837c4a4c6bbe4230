using TorchSharp.Modules;

namespace LoraFhe;

/// <summary>What belongs to an adapter, under the keys of its file: its matrices in every layer, the modules it
/// trains whole, and the biases that are trained with it.</summary>
internal static class AdapterParameters
{
    /// <summary>The parameters in the order of registration, matrices first.</summary>
    public static OrderedDictionary<string, Parameter> Of(LoraModel model, string adapter)
    {
        var parameters = new OrderedDictionary<string, Parameter>(StringComparer.Ordinal);
        foreach (var (name, place) in model.Places)
        {
            foreach (var (end, parameter) in place.ParametersOf(adapter))
            {
                parameters.Add(PeftNames.Key($"{name}.{end}"), parameter);
            }
        }

        foreach (var (key, bias) in Biases(model, adapter))
        {
            parameters.TryAdd(key, bias);
        }

        return parameters;
    }

    /// <summary>The base weights of embeddings and heads beside which an adapter stands, by peft's names for them; a file may hold them too, in case
    /// they were resized.</summary>
    public static Dictionary<string, Parameter> EmbeddingWeights(LoraModel model, string adapter) => model.AdaptedLayers
        .Where(adapted => adapted.Layer.Adapters.ContainsKey(adapter) && IsEmbeddingName(adapted.Name) && adapted.Layer.BaseLayer is Linear or Embedding)
        .SelectMany(adapted => adapted.Layer.BaseLayer.named_parameters()
            .Select(entry => (Key: PeftNames.Key($"{adapted.Name}.{PeftNames.BaseLayer}.{entry.name}"), entry.parameter)))
        .ToDictionary(entry => entry.Key, entry => entry.parameter, StringComparer.Ordinal);

    /// <summary>Whether peft would write them without being asked: the targets name such a layer by its last name alone, or by an expression.</summary>
    public static bool WritesEmbeddingWeights(LoraConfig config) =>
        config.TargetModules is { } targets && (targets.RegularExpression is not null || targets.Names.Any(IsEmbeddingLastName));

    private static bool IsEmbeddingName(string name) => IsEmbeddingLastName(name[(name.LastIndexOf('.') + 1)..]);

    private static bool IsEmbeddingLastName(string name) => name is "embed_tokens" or "lm_head";

    private static IEnumerable<(string Key, Parameter Bias)> Biases(LoraModel model, string adapter) => model.PeftConfig[adapter].Bias switch
    {
        LoraBias.All => model.Model.named_parameters()
            .Where(entry => IsBias(entry.name) && !LoraNames.IsAdapters(entry.name))
            .Select(entry => (PeftNames.Key(entry.name), entry.parameter)),
        LoraBias.LoraOnly => model.AdaptedLayers
            .Where(adapted => adapted.Layer.Adapters.ContainsKey(adapter))
            .SelectMany(adapted => adapted.Layer.BaseLayer.named_parameters()
                .Where(entry => IsBias(entry.name))
                .Select(entry => (PeftNames.Key($"{adapted.Name}.{PeftNames.BaseLayer}.{entry.name}"), entry.parameter))),
        _ => [],
    };

    // Recurrent ones (bias_ih_l0) included.
    private static bool IsBias(string name) => name[(name.LastIndexOf('.') + 1)..].StartsWith("bias", StringComparison.Ordinal);
}
