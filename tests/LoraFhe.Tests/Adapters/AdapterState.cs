using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>All that a model tells of its adapters, as a text that two states can be compared by.</summary>
internal static class AdapterState
{
    /// <summary>Every parameter's name, values and wish for a gradient; the adapters, the active one, the layers.</summary>
    public static string Of(LoraModel model)
    {
        var parameters = model.named_parameters().Select(entry =>
            $"{entry.name} {entry.parameter.requires_grad} {string.Join(',', entry.parameter.to(ScalarType.Float32).data<float>())}");
        return string.Join('\n', parameters) + string.Join(' ', model.AdapterNames) + model.ActiveAdapter + model.IsEnabled
            + string.Join(' ', model.AdaptedLayers.Select(entry => $"{entry.Name}:{string.Join('+', entry.Layer.Adapters.Keys)}"));
    }
}
