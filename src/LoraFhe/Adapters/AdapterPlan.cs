using Microsoft.Extensions.Logging;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Which layers of a model get an adapter and which modules are trained whole, everything checked before anything changes.</summary>
internal sealed class AdapterPlan
{
    private readonly List<Step> _steps;
    private readonly List<SavedStep> _savedSteps;

    private AdapterPlan(LoraConfig config, List<Step> steps, List<SavedStep> savedSteps)
    {
        Config = config;
        _steps = steps;
        _savedSteps = savedSteps;
    }

    /// <summary>The options in effect.</summary>
    public LoraConfig Config { get; }

    /// <summary>Finds the layers and modules that the options mean. Those that have adapters already are looked through: names are those of the
    /// bare model.</summary>
    /// <exception cref="ArgumentException">No layer matches, or something that is none does, or a layer cannot start as the options ask.</exception>
    /// <exception cref="NotSupportedException">A layer cannot be replaced where it is held, or a module cannot be trained whole.</exception>
    public static AdapterPlan Make(nn.Module model, LoraConfig given, ILogger? logger)
    {
        var modules = BareModules.Of(model);
        var config = SavedModules.WithHeads(given);
        var targets = config.TargetModules ?? DefaultTargets.Of(model)
            ?? throw new ArgumentException(Errors.NoDefaultTargets(model.GetType(), LinearNames(modules)));
        var matcher = new TargetMatcher(config, targets);
        var selected = Select(model, modules, targets, matcher);
        foreach (var target in matcher.UnmatchedTargets)
        {
            logger?.UnmatchedTarget(target, model.GetType().Name);
        }

        var saved = SavedModules.Select(model, modules, config, given.ModulesToSave ?? [], logger);
        var slots = ModuleSurgery.FindSlots(model);
        var steps = selected.ConvertAll(place => new Step(place.Name, (nn.Module<Tensor, Tensor>)place.Module, slots[place.Module],
            modules.Around(place.Module), OptionsOf(config, matcher.Rank(place.Name), matcher.Alpha(place.Name))));
        var savedSteps = saved.ConvertAll(place => new SavedStep(
            place.Name, (nn.Module<Tensor, Tensor>)place.Module, slots[place.Module], (ModulesToSaveWrapper?)modules.Around(place.Module)));
        Check(config, modules, steps, savedSteps);
        if (logger is not null)
        {
            PlanWarnings.Tell(logger, modules, config, selected, saved);
        }

        return new AdapterPlan(Resolve(model, modules, config, targets, steps), steps, savedSteps);
    }

    /// <summary>Makes the adapter and puts it in.</summary>
    /// <param name="adapter">A name that no layer has.</param>
    /// <param name="seed">Of its initial values; null: torch's global generator draws them.</param>
    public void Carry(string adapter, long? seed)
    {
        using var initializer = new AdapterInitializer(Config.InitLoraWeights, seed);
        foreach (var step in _steps)
        {
            var layer = step.Layer is Embedding embedding
                ? AddTo(step, embedding, adapter, initializer)
                : (LoraLayer)AddTo(step, LinearShape.Of(step.Layer)!.Value, adapter, initializer);
            if (step.Adapted is null)
            {
                ModuleSurgery.Fill(step.Slots, layer);
            }
        }

        foreach (var step in _savedSteps)
        {
            var wrapper = step.Wrapper ?? new ModulesToSaveWrapper(step.Module);
            wrapper.Add(adapter);
            if (step.Wrapper is null)
            {
                ModuleSurgery.Fill(step.Slots, wrapper);
            }
        }
    }

    /// <summary>How an adapter of a rank and an α acts.</summary>
    public static LayerAdapter OptionsOf(LoraConfig config, int rank, double alpha) =>
        new(rank, alpha, config.UseRslora ? alpha / Math.Sqrt(rank) : alpha / rank, config.LoraDropout, config.UseDora);

    private static List<NamedModule> Select(nn.Module model, BareModules modules, TargetModules targets, TargetMatcher matcher)
    {
        var selected = ReferenceEquals(targets, TargetModules.AllLinear)
            ? AllLinear(model, modules, matcher.Config).Where(place => !matcher.IsExcluded(place.Name) && matcher.IsInLayers(place.Name)).ToList()
            : modules.All.Where(place => matcher.IsTarget(place.Name)).ToList();
        if (selected.Count == 0)
        {
            throw new ArgumentException(Errors.NoTargetMatches(model.GetType(), targets, LinearNames(modules)));
        }

        return selected.Find(place => place.Module is not Embedding && !LinearShape.IsLinear(place.Module)) is { Module: not null } other
            ? throw new ArgumentException(Errors.TargetNotLinear(targets, other.Name, other.Module.GetType()))
            : selected;
    }

    private static void Check(LoraConfig config, BareModules modules, List<Step> steps, List<SavedStep> savedSteps)
    {
        var tied = BaseFactors.ChangeBase(config.InitLoraWeights) ? new TiedWeights(modules.All) : null;
        foreach (var step in steps)
        {
            if (Fault(config, step) is { } fault)
            {
                throw new ArgumentException(fault);
            }

            if (step.Adapted is ModulesToSaveWrapper)
            {
                throw new NotSupportedException(Errors.AdaptedAndSaved(step.Name));
            }

            if (step.Layer is Embedding embedding && !EmbeddingWeight.IsRegistered(embedding))
            {
                throw new NotSupportedException(Errors.EmbeddingNotRegistered(step.Name));
            }

            if (LinearShape.Of(step.Layer) is { Weight: var weight } && tied?.OtherHolder(step.Layer, weight) is { } other)
            {
                throw new NotSupportedException(Errors.TiedWeightChanged(step.Name, other, config.InitLoraWeights.ToString()));
            }
        }

        ModuleSurgery.EnsureReplaceable(steps
            .Where(step => step.Adapted is null)
            .Select(step => (step.Name, step.Slots, step.Layer is Embedding ? typeof(LoraEmbedding) : typeof(LoraLinear)))
            .Concat(savedSteps.Where(step => step.Wrapper is null).Select(step => (step.Name, step.Slots, typeof(ModulesToSaveWrapper)))));
    }

    private static string? Fault(LoraConfig config, Step step) =>
        (LinearShape.Of(step.Layer) is { } shape ? BaseFactors.Fault(config.InitLoraWeights, step.Name, shape, step.Options)
            : config.LoraBias ? Errors.EmbeddingBias(step.Name)
            : null)
        ?? (config.UseDora && !DoraBase.HasDirections(step.Layer) ? Errors.NoDirection(step.Name) : null);

    // As peft: before anything is excluded, so that the two lists say together what was asked for.
    private static IEnumerable<NamedModule> AllLinear(nn.Module model, BareModules modules, LoraConfig config) => modules.All
        .Where(place => LinearShape.IsLinear(place.Module) && !DefaultTargets.IsOutputEmbedding(model, place) && !SavedModules.IsClassificationHead(config, place.Name));

    private static LoraConfig Resolve(nn.Module model, BareModules modules, LoraConfig config, TargetModules targets, List<Step> steps) => config with
    {
        TargetModules = ReferenceEquals(targets, TargetModules.AllLinear) ? [.. AllLinear(model, modules, config).Select(place => place.Name)] : targets,
        FanInFanOut = steps.Exists(step => LinearShape.Of(step.Layer) is { IsTransposed: true }),
        BaseModelNameOrPath = config.BaseModelNameOrPath ?? (model as IPretrainedModel)?.NameOrPath,
    };

    private LoraLinear AddTo(Step step, LinearShape shape, string adapter, AdapterInitializer initializer)
    {
        var layer = (LoraLinear?)step.Adapted ?? new LoraLinear(step.Layer, shape, step.Name);
        var (a, b) = initializer.Draw(shape, step.Options);
        layer.Add(adapter, a, b, Config.LoraBias ? initializer.DrawBias(shape, step.Options.R) : null, Magnitude(step, a, b), step.Options);
        if (BaseFactors.ChangeBase(Config.InitLoraWeights))
        {
            layer.KeepInitial(adapter);
        }

        return layer;
    }

    private LoraEmbedding AddTo(Step step, Embedding embedding, string adapter, AdapterInitializer initializer)
    {
        var layer = (LoraEmbedding?)step.Adapted ?? new LoraEmbedding(embedding);
        var (a, b) = initializer.DrawEmbedding(EmbeddingWeight.Of(embedding), step.Options.R);
        layer.Add(adapter, a, b, Magnitude(step, a, b), step.Options);
        return layer;
    }

    // The norms that the model starts with. What takes its first values out of the weight will have left W itself as the sum.
    private Parameter? Magnitude(Step step, Parameter a, Parameter b)
    {
        if (!Config.UseDora)
        {
            return null;
        }

        var norms = DoraBase.Norms(step.Layer, a, b, BaseFactors.ChangeBase(Config.InitLoraWeights) ? 0 : step.Options.Scaling);
        return (Parameter)norms.AsParameter().DetachFromDisposeScope();
    }

    private static IEnumerable<string> LinearNames(BareModules modules) =>
        modules.All.Where(place => LinearShape.IsLinear(place.Module)).Select(place => place.Name);

    private sealed record Step(string Name, nn.Module<Tensor, Tensor> Layer, List<ModuleSlot> Slots, IAdapterPlace? Adapted, LayerAdapter Options);

    private sealed record SavedStep(string Name, nn.Module<Tensor, Tensor> Module, List<ModuleSlot> Slots, ModulesToSaveWrapper? Wrapper);
}
