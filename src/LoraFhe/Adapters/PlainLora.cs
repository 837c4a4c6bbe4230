using LoraFhe.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Turns an adapter that took its first values out of the weights into one for the weights as they were: peft's
/// <c>path_initial_model_for_weight_conversion</c>.</summary>
/// <remarks>
/// W − s·B₀·A₀ + s·B·A = W + s·[B, −B₀]·[A; A₀], of rank 2r; with r and α doubled, or α times √2 with rsLoRA, s stays. An adapter of the same
/// model that took nothing out (an embedding's) is filled up with zeros.
/// </remarks>
internal static class PlainLora
{
    /// <summary>The options of the wider adapter.</summary>
    public static LoraConfig Of(LoraConfig config)
    {
        var factor = config.UseRslora ? Math.Sqrt(2) : 2;
        return config with
        {
            InitLoraWeights = InitLoraWeights.KaimingUniform,
            R = 2 * config.R,
            LoraAlpha = factor * config.LoraAlpha,
            RankPattern = new(config.RankPattern.Select(pattern => KeyValuePair.Create(pattern.Key, 2 * pattern.Value))),
            AlphaPattern = new(config.AlphaPattern.Select(pattern => KeyValuePair.Create(pattern.Key, factor * pattern.Value))),
        };
    }

    /// <summary>The tensors of the wider adapter, by the keys of its file.</summary>
    public static IEnumerable<SafetensorsTensor> Tensors(LoraModel model, string adapter)
    {
        var widened = model.Places
            .SelectMany(entry => entry.Place.ParametersOf(adapter)
                .Select(parameter => (Key: PeftNames.Key($"{entry.Name}.{parameter.Name}"), Initial: (entry.Place as LoraLinear)?.Initial, End: parameter.Name)))
            .ToDictionary(entry => entry.Key, entry => entry, StringComparer.Ordinal);
        foreach (var (key, parameter) in AdapterParameters.Of(model, adapter))
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            yield return StoredTensor.Of(key, widened.TryGetValue(key, out var entry) ? Widen(entry.End, parameter, entry.Initial) : parameter);
        }
    }

    private static Tensor Widen(string end, Parameter parameter, InitialFactors? initial) => end switch
    {
        $"{PeftNames.LoraA}.weight" => cat([parameter, initial!.A], 0),
        $"{PeftNames.LoraB}.weight" => cat([parameter, initial!.B.neg()], 1),
        PeftNames.EmbeddingA => cat([parameter, zeros_like(parameter)], 0),
        PeftNames.EmbeddingB => cat([parameter, zeros_like(parameter)], 1),
        _ => parameter,
    };
}
