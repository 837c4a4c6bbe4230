using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Holds one module an adapter, under the adapter's name, as peft's dictionaries do: <c>lora_A.default</c>.</summary>
/// <typeparam name="T">What is held.</typeparam>
/// <remarks>TorchSharp's <c>ModuleDict</c> would do, but a model that contains one cannot be moved.</remarks>
internal sealed class AdapterContainer<T>(string name) : nn.Module(name)
    where T : nn.Module
{
    private readonly OrderedDictionary<string, T> _modules = new(StringComparer.Ordinal);

    /// <summary>The modules by adapter, in the order they came.</summary>
    public IReadOnlyDictionary<string, T> Modules => _modules;

    /// <summary>Takes an adapter's module; it is owned from now on.</summary>
    public void Add(string adapter, T module)
    {
        register_module(adapter, module);
        _modules.Add(adapter, module);
    }

    /// <summary>Disposes of an adapter's module.</summary>
    public void Remove(string adapter)
    {
        if (_modules.ContainsKey(adapter))
        {
            Release(adapter).Dispose();
        }
    }

    /// <summary>Lets go of an adapter's module; it belongs to the caller.</summary>
    public T Release(string adapter)
    {
        var module = _modules[adapter];
        _modules.Remove(adapter);
        _internal_submodules.Remove(adapter);
        return module;
    }
}
