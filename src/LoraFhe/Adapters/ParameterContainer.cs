using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Holds one parameter an adapter, under the adapter's name, as peft's dictionaries of parameters do: <c>lora_embedding_A.default</c>.</summary>
internal sealed class ParameterContainer(string name) : nn.Module(name)
{
    /// <summary>An adapter's parameter; moving the model makes another.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter Of(string adapter) => get_parameter(adapter) ?? throw new KeyNotFoundException(Errors.NoSuchAdapter(adapter, named_parameters().Select(entry => entry.name)));

    /// <summary>Takes an adapter's parameter; it is owned from now on.</summary>
    public void Add(string adapter, Parameter parameter) => register_parameter(adapter, parameter);

    /// <summary>Disposes of an adapter's parameter.</summary>
    public void Remove(string adapter)
    {
        if (_internal_params.TryGetValue(adapter, out var parameter))
        {
            _internal_params.Remove(adapter);
            parameter.Dispose();
        }
    }
}
