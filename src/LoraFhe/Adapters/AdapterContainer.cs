using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Holds one module under the adapter's name, where peft has a dictionary of adapters: <c>lora_A.default</c>.</summary>
/// <typeparam name="T">What is held.</typeparam>
/// <remarks>TorchSharp's <c>ModuleDict</c> would do, but a model that contains one cannot be moved.</remarks>
internal sealed class AdapterContainer<T> : nn.Module
    where T : nn.Module
{
    [ComponentName(Name = PeftNames.Adapter)]
    private readonly T _default;

    public AdapterContainer(string name, T module) : base(name)
    {
        _default = module;
        RegisterComponents();
    }

    public T Default => _default;
}
