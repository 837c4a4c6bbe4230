namespace LoraFhe;

// Several adapters beside each other: which there are, and which is active.
public sealed partial class LoraModel
{
    /// <summary>The adapters, in the order they came; never empty.</summary>
    public IReadOnlyList<string> AdapterNames => [.. _configs.Keys];

    /// <summary>The adapter that the model answers with, and that training changes.</summary>
    public string ActiveAdapter { get; private set; }

    /// <summary>Whether the active adapter acts at all: false between <see cref="DisableAdapters"/> and <see cref="EnableAdapters"/>.</summary>
    public bool IsEnabled { get; private set; }

    /// <summary>Puts another adapter beside those that the model has. It is not active: see <see cref="SetAdapter"/>.</summary>
    /// <param name="adapterName">A new name, without dots or characters that no path can have.</param>
    /// <param name="config">Its options; it may have other target modules than the other adapters.</param>
    /// <param name="seed">Draws its initial values from a generator of their own; null: from torch's global one.</param>
    /// <exception cref="ArgumentException">The name is faulty or taken, or <paramref name="config"/> is faulty, or its targets match no
    /// layer or something that is none, or it is for another task, trains biases as another adapter does, or one of the two takes its first values
    /// out of the weights (<see cref="InitLoraWeights.Pissa"/>, <see cref="InitLoraWeights.Olora"/>). Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The model is under hybrid training, or unloaded. Nothing was changed.</exception>
    /// <exception cref="NotSupportedException">A target is held by a field that cannot hold an adapter, or is trained whole by another adapter, or a
    /// module to train whole cannot be copied or has an adapter beside it. Nothing was changed.</exception>
    public void AddAdapter(string adapterName, LoraConfig config, long? seed = null)
    {
        EnsureNewAdapterName(adapterName);
        ArgumentNullException.ThrowIfNull(config);
        config.EnsureValid(nameof(config));
        EnsureNotHybrid(nameof(AddAdapter));
        AddCore(adapterName, config, seed);
    }

    /// <summary>Reads the values of a saved adapter of the same layers, ranks and scaling into the active one.</summary>
    /// <param name="folder">The folder that peft or <see cref="SavePretrained"/> wrote.</param>
    /// <exception cref="FileNotFoundException">A file of the folder is missing.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, a tensor is missing, unknown or of another shape, or the scaling is another.
    /// No value was changed.</exception>
    /// <exception cref="InvalidOperationException">The adapter is merged. Nothing was changed.</exception>
    public void LoadAdapter(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        EnsureNotMerged(ActiveAdapter, nameof(LoadAdapter));
        var config = PeftConfigReader.Read(Path.Combine(folder, PeftNames.ConfigFile), _logger);
        EnsureSameStart(config);
        EnsureSameMagnitudes(config);
        EnsureSameScaling(config);
        AdapterFile.Load(this, ActiveAdapter, Path.Combine(folder, PeftNames.WeightsFile));
    }

    /// <summary>Puts a saved adapter beside those that the model has. It is not active: see <see cref="SetAdapter"/>.</summary>
    /// <param name="folder">The folder that peft or <see cref="SavePretrained"/> wrote.</param>
    /// <param name="adapterName">A new name, without dots or characters that no path can have.</param>
    /// <exception cref="ArgumentException">The name is faulty or taken.</exception>
    /// <exception cref="FileNotFoundException">A file of the folder is missing. Nothing was changed.</exception>
    /// <exception cref="InvalidDataException">A file is faulty or does not fit the model or its other adapters. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The model is under hybrid training, or unloaded. Nothing was changed.</exception>
    /// <exception cref="NotSupportedException">A target is held by a field that cannot hold an adapter, or is trained whole by another adapter, or a
    /// module to train whole cannot be copied or has an adapter beside it. Nothing was changed.</exception>
    public void LoadAdapter(string folder, string adapterName)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        EnsureNewAdapterName(adapterName);
        EnsureNotHybrid(nameof(LoadAdapter));
        var config = PeftConfigReader.Read(Path.Combine(folder, PeftNames.ConfigFile), _logger);
        try
        {
            AddCore(adapterName, config, seed: 0);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, exception.Message), exception);
        }

        try
        {
            AdapterFile.Load(this, adapterName, Path.Combine(folder, PeftNames.WeightsFile));
        }
        catch
        {
            Remove(adapterName);
            throw;
        }
    }

    /// <summary>Makes an adapter the active one: the model answers with it, and training changes it and no other.</summary>
    /// <param name="adapterName">The name of one of the model's adapters.</param>
    /// <param name="inferenceMode">Whether it is to be frozen like the others.</param>
    /// <exception cref="ArgumentException">There is no adapter of that name.</exception>
    /// <exception cref="InvalidOperationException">An adapter is merged and hybrid training keeps it so, or the model was unloaded. Nothing was changed.</exception>
    /// <remarks>
    /// Merged adapters are unmerged first, with a warning. A trainer trains the adapter that was active when it was made, and refuses to
    /// while another is: set one for an evaluation and set the first back. To train another, load it on the model as it was, with a trainer of its own.
    /// </remarks>
    public void SetAdapter(string adapterName, bool inferenceMode = false)
    {
        EnsureKnown(adapterName, nameof(adapterName));
        UnmergeBecause(nameof(SetAdapter));
        Activate(adapterName, !inferenceMode, IsEnabled);
    }

    /// <summary>Removes an adapter; layers that have no other become the bare layers again. If it was active, the first of the remaining
    /// names is from now on, as trainable as it was.</summary>
    /// <param name="adapterName">The name of one of the model's adapters.</param>
    /// <exception cref="ArgumentException">There is no adapter of that name.</exception>
    /// <exception cref="InvalidOperationException">It is the last one or merged, or the model is under hybrid training. Nothing was changed.</exception>
    public void DeleteAdapter(string adapterName)
    {
        EnsureKnown(adapterName, nameof(adapterName));
        EnsureNotHybrid(nameof(DeleteAdapter));
        EnsureNotMerged(adapterName, nameof(DeleteAdapter));
        if (_configs.Count == 1)
        {
            throw new InvalidOperationException(Errors.LastAdapter(adapterName));
        }

        Remove(adapterName);
        if (ActiveAdapter == adapterName)
        {
            var next = _configs.Keys.Order(StringComparer.Ordinal).First();
            _logger?.ActiveAdapterDeleted(adapterName, next);
            Activate(next, _isTrainable, IsEnabled);
        }
    }

    /// <summary>Makes the model answer as the bare one; its adapters are frozen. Merged adapters are unmerged first.</summary>
    /// <exception cref="InvalidOperationException">An adapter is merged and hybrid training keeps it so. Nothing was changed.</exception>
    /// <remarks>Biases that were trained with an adapter stay as they are: a warning says so.</remarks>
    public void DisableAdapters()
    {
        UnmergeBecause(nameof(DisableAdapters));
        if (Config.Bias != LoraBias.None)
        {
            _logger?.TrainedBiasesStay(ActiveAdapter);
        }

        Activate(ActiveAdapter, _isTrainable, isEnabled: false);
    }

    /// <summary>Makes the active adapter act again, as trainable as it was.</summary>
    public void EnableAdapters() => Activate(ActiveAdapter, _isTrainable, isEnabled: true);

    /// <summary><see cref="DisableAdapters"/> until the result is disposed of: <c>using (model.DisableAdapter()) { ... }</c>.</summary>
    /// <returns>Disposing of it enables the adapters, unless they were disabled before.</returns>
    /// <exception cref="InvalidOperationException">An adapter is merged and hybrid training keeps it so. Nothing was changed.</exception>
    public IDisposable DisableAdapter()
    {
        var wasEnabled = IsEnabled;
        DisableAdapters();
        return new DisabledScope(this, wasEnabled);
    }

    private void AddCore(string adapter, LoraConfig config, long? seed)
    {
        EnsureFits(config);
        var plan = AdapterPlan.Make(Model, config, _logger);
        plan.Carry(adapter, seed);
        _configs.Add(adapter, plan.Config);
        FindPlaces();
        Activate(ActiveAdapter, _isTrainable, IsEnabled);
    }

    private void Remove(string adapter)
    {
        RequireGradients(adapter, false);
        _configs.Remove(adapter);
        foreach (var (_, place) in Places)
        {
            place.Remove(adapter);
        }

        TakeOut(Places.Select(entry => entry.Place).Where(place => place.IsBare), merged: []);
        FindPlaces();
    }

    private static void EnsureAdapterName(string adapterName)
    {
        ArgumentException.ThrowIfNullOrEmpty(adapterName);
        if (!PeftNames.IsAdapterName(adapterName))
        {
            throw new ArgumentException(Errors.AdapterName(adapterName), nameof(adapterName));
        }
    }

    private void EnsureNewAdapterName(string adapterName)
    {
        EnsureAdapterName(adapterName);
        if (_configs.ContainsKey(adapterName))
        {
            throw new ArgumentException(Errors.AdapterExists(adapterName), nameof(adapterName));
        }
    }

    private void EnsureKnown(string adapterName, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(adapterName, parameter);
        _ = Model; // Once it was unloaded, the names remain and the adapters do not.
        if (!_configs.ContainsKey(adapterName))
        {
            throw new ArgumentException(Errors.NoSuchAdapter(adapterName, AdapterNames), parameter);
        }
    }

    private List<string> Known(IEnumerable<string> adapterNames, string parameter)
    {
        var names = adapterNames.Distinct(StringComparer.Ordinal).ToList();
        names.ForEach(name => EnsureKnown(name, parameter));
        return names;
    }

    private void EnsureFits(LoraConfig config)
    {
        if (BaseFactors.ChangeBase(config.InitLoraWeights))
        {
            throw new ArgumentException(Errors.ChangesBase(config.InitLoraWeights.ToString()), nameof(config));
        }

        if (_configs.FirstOrDefault(entry => BaseFactors.ChangeBase(entry.Value.InitLoraWeights)).Key is { } alone)
        {
            throw new ArgumentException(Errors.ChangesBaseAlone(alone), nameof(config));
        }

        if (config.Bias != LoraBias.None && _configs.FirstOrDefault(entry => entry.Value.Bias != LoraBias.None).Key is { } biased)
        {
            throw new ArgumentException(Errors.SecondBias(biased), nameof(config));
        }

        if (config.TaskType is { } task && _configs.FirstOrDefault(entry => entry.Value.TaskType is { } other && other != task) is { Key: { } name, Value: { } found })
        {
            throw new ArgumentException(Errors.OtherTask(task, name, found.TaskType!.Value), nameof(config));
        }
    }

    private void EnsureSameStart(LoraConfig config)
    {
        var (expected, found) = (Config.InitLoraWeights, config.InitLoraWeights);
        if (expected != found && (BaseFactors.ChangeBase(expected) || BaseFactors.ChangeBase(found)))
        {
            throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, Errors.OtherStart(found, expected)));
        }
    }

    private void EnsureSameMagnitudes(LoraConfig config)
    {
        if (config.UseDora != Config.UseDora)
        {
            throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, Errors.OtherMagnitudes(config.UseDora)));
        }
    }

    // The matrices alone would fit, and act more or less than they were trained to.
    private void EnsureSameScaling(LoraConfig config)
    {
        var matcher = new TargetMatcher(config, Config.TargetModules!);
        foreach (var (name, layer) in AdaptedLayers.Where(entry => entry.Layer.Adapters.ContainsKey(ActiveAdapter)))
        {
            var (expected, found) = (layer.Adapters[ActiveAdapter].Scaling, AdapterPlan.OptionsOf(config, matcher.Rank(name), matcher.Alpha(name)).Scaling);
            if (expected != found)
            {
                throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, Errors.OtherScaling(name, found, expected)));
            }
        }
    }

    private sealed class DisabledScope(LoraModel model, bool wasEnabled) : IDisposable
    {
        private bool _isOver;

        public void Dispose()
        {
            if (!_isOver && wasEnabled)
            {
                model.EnableAdapters();
            }

            _isOver = true;
        }
    }
}
