using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Holds the user's model under the name <c>model</c>, as peft's tuner does; <see cref="LoraModel"/> holds this one as <c>base_model</c>.</summary>
internal sealed class AdaptedModel : nn.Module
{
    [ComponentName(Name = PeftNames.Model)]
    private readonly nn.Module _model;

    public AdaptedModel(nn.Module model) : base(nameof(AdaptedModel))
    {
        _model = model;
        RegisterComponents();
    }

    public nn.Module Model => _model;

    /// <summary>Lets go of the model and disposes of itself.</summary>
    public void Release()
    {
        _internal_submodules.Remove(PeftNames.Model);
        Dispose();
    }
}
