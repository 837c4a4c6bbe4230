using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The trained row norms of a weight under DoRA, under the name that peft gives them: <c>lora_magnitude_vector.default.weight</c>.</summary>
internal sealed class DoraMagnitude : nn.Module
{
    private const string Name = "weight";

    /// <param name="magnitude">[out]; owned from now on.</param>
    public DoraMagnitude(Parameter magnitude) : base(nameof(DoraMagnitude)) => register_parameter(Name, magnitude);

    /// <summary>[out]; moving the model makes another.</summary>
    public Parameter Weight => get_parameter(Name)!;
}
