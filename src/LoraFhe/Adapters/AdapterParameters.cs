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
