using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>Whether LAPACK rounds on this machine as where the cases were recorded: libtorch has other code for other processors, and divides the work by threads.</summary>
internal static class Decomposition
{
    /// <summary>Whether the singular vectors of a recorded model's weights are bit for bit those that Python computed, but for their signs. The converted PiSSA case has them: the
    /// second half of each of its matrices.</summary>
    public static bool IsAsRecorded()
    {
        using var recorded = AdapterCase.Open("llama-init-pissa-converted");
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden));
        return model.AdaptedLayers.All(entry =>
        {
            using var scope = NewDisposeScope();
            var layer = (LoraLinear)entry.Layer;
            return IsHalf(recorded, $"{entry.Name}.lora_A.weight", layer.LoraA["default"].weight, dimension: 0) && IsHalf(recorded, $"{entry.Name}.lora_B.weight", layer.LoraB["default"].weight, dimension: 1);
        });
    }

    private static bool IsHalf(AdapterCase recorded, string name, Tensor own, int dimension)
    {
        var half = own.shape[dimension];
        return recorded.Golden.SingleTensor("adapter_model", $"base_model.model.{name}").narrow(dimension, half, half).abs().equal(own.abs()).all().item<bool>();
    }
}
