using static TorchSharp.torch;

namespace LoraFhe;

/// <content>The two halves on disk.</content>
public sealed partial class HybridFheModel
{
    // Of the frozen layers that belong to a cleared model; null for a model that has its own.
    private string? _layersHash;

    /// <summary>Whether the frozen layers' float weights are gone: the model computes with layers that a compilation was given, or not at all.</summary>
    public bool IsCleared => _layersHash is not null;

    /// <summary>
    /// Writes what each side needs to its own folder and lets go of the frozen layers: <c>server/</c> gets their integers, <c>client/</c>
    /// everything else. Checks first, then writes, then clears.
    /// </summary>
    /// <param name="path">The folder that gets the two; made if it does not exist. The two files replace those of an earlier call.</param>
    /// <exception cref="InvalidOperationException">The model is not compiled. Nothing was written or changed.</exception>
    /// <exception cref="IOException">A file could not be written; the text names the folder. Nothing was cleared.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    /// <remarks>
    /// Clearing frees the weights' memory, for others too that hold the same parameters, and tells the backend to forget its products. What
    /// a part of the model needs that stays in clear, such as an embedding whose weight the head shares, is kept. Afterwards the model can be
    /// compiled again with <see cref="HybridCompileOptions.FrozenLayers"/>; <see cref="LoadPrivateInfo"/> brings another model to the same state.
    /// </remarks>
    public void SaveAndClearPrivateInfo(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!IsCompiled)
        {
            throw new InvalidOperationException(IsCleared ? Errors.ModelCleared() : Errors.ModelNotCompiled("saving"));
        }

        var layers = Layers.SelectMany(layer => layer.Members).ToList();
        PrivateInfo.Write(path, Model, layers);
        Clear(FrozenLayersHash.Of(layers));
    }

    /// <summary>
    /// Takes up the client's half of a model that was saved: adapters, embeddings, norms, heads and biases, by name, and lets go of this model's
    /// own frozen weights, which need be nothing but of the right shapes.
    /// </summary>
    /// <param name="clientFolder">The folder <c>client</c> that <see cref="SaveAndClearPrivateInfo"/> wrote.</param>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or foreign, or a tensor is missing, unknown, or of another shape or type; the text names file and
    /// tensor. Nothing was changed.</exception>
    /// <exception cref="IOException">The file cannot be read. Nothing was changed.</exception>
    /// <exception cref="NotSupportedException">A remote module is neither a linear layer nor an embedding.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    /// <remarks>Parameters keep their places, so that an optimizer that was made before goes on with them. Compile with the server's layers next
    /// (<see cref="HybridCompileOptions.FrozenLayers"/>, <see cref="FrozenLayerFile"/>). An optimizer's state, a schedule and the place in the data are
    /// no part of the two halves: a checkpoint has them.</remarks>
    public void LoadPrivateInfo(string clientFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientFolder);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _ = FrozenGroup.Find(_modules);
        Clear(PrivateInfo.Read(clientFolder, Model));
    }

    private void Clear(string layersHash)
    {
        // Nothing is asked of the backend until the next compilation.
        _prepared.Expect([], progress: null);
        FreeWeights();
        foreach (var layer in ModuleSurgery.Descendants(Model).Select(entry => entry.Module).OfType<CustomLinear>())
        {
            if (_modules.Contains(layer.ForwardModule))
            {
                layer.Forget();
            }
        }

        foreach (var module in _modules)
        {
            module.Clear();
        }

        LayerHook.ForgetWeights(Model);
        Release();
        Layers = [];
        IsCompiled = false;
        _layersHash = layersHash;
    }

    // Whoever else holds a parameter, such as the layer that an adapter was put beside, holds one without outputs from here on.
    private void FreeWeights()
    {
        using var noGraph = no_grad();
        using var scope = NewDisposeScope();
        var kept = ClientTensors.Memories(Model);
        foreach (var module in _modules)
        {
            foreach (var weight in module.PrivateWeights().Where(weight => !kept.Contains(DistinctParameters.Memory(weight))))
            {
                // Elsewhere it cannot be told whether a module that stays shares the memory.
                if (weight.device_type == TorchSharp.DeviceType.CPU && weight.is_contiguous())
                {
                    weight.grad = null;
                    weight.set_(weight.narrow(module.OutputDimension, 0, 0).clone());
                }
            }
        }
    }
}
