using Microsoft.Extensions.Logging;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Which layers of a model get which adapter, everything checked before anything changes; and the way back.</summary>
internal sealed class AdapterPlan
{
    private readonly List<Step> _steps;
    private readonly (Parameter Parameter, bool RequiresGradient)[] _before;

    private AdapterPlan(LoraConfig config, List<Step> steps, IEnumerable<Parameter> parameters)
    {
        Config = config;
        _steps = steps;
        _before = [.. parameters.Select(parameter => (parameter, parameter.requires_grad))];
    }

    /// <summary>The options in effect.</summary>
    public LoraConfig Config { get; }

    /// <summary>Finds the layers that the options mean.</summary>
    /// <exception cref="ArgumentException">None matches, or something that is no linear layer does.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters already.</exception>
    /// <exception cref="NotSupportedException">A layer cannot be replaced where it is held, or the task needs modules trained whole.</exception>
    public static AdapterPlan Make(nn.Module model, LoraConfig config, ILogger? logger)
    {
        var places = ModuleSurgery.Descendants(model).ToArray();
        if (places.FirstOrDefault(place => place.Module is LoraLinear).Name is { } adapted)
        {
            throw new InvalidOperationException(Errors.AlreadyAdapted(model.GetType(), adapted));
        }

        RefuseTrainedHeads(config, places);
        var targets = config.TargetModules ?? DefaultTargets.Of(model)
            ?? throw new ArgumentException(Errors.NoDefaultTargets(model.GetType(), LinearNames(places)));
        var matcher = new TargetMatcher(config, targets);
        var selected = Select(model, places, targets, matcher);
        foreach (var target in matcher.UnmatchedTargets)
        {
            logger?.UnmatchedTarget(target, model.GetType().Name);
        }

        var slots = ModuleSurgery.FindSlots(model);
        var steps = selected.ConvertAll(place => new Step(place.Name, (nn.Module<Tensor, Tensor>)place.Module, slots[place.Module],
            matcher.Rank(place.Name), matcher.Alpha(place.Name)));
        foreach (var step in steps)
        {
            ModuleSurgery.EnsureReplaceable(step.Name, step.Slots, typeof(LoraLinear));
        }

        return new AdapterPlan(Resolve(model, config, targets, steps), steps, model.parameters());
    }

    /// <summary>Makes the adapters and puts them in.</summary>
    /// <param name="seed">Of their initial values; null: torch's global generator draws them.</param>
    public IReadOnlyList<AdaptedLayer> Carry(long? seed)
    {
        using var initializer = new AdapterInitializer(Config.InitLoraWeights, seed);
        var layers = _steps.ConvertAll(step => new AdaptedLayer(step.Name, MakeLayer(step, initializer)));
        foreach (var (step, layer) in _steps.Zip(layers))
        {
            ModuleSurgery.Fill(step.Slots, layer.Layer);
        }

        return layers;
    }

    /// <summary>Takes the adapters out again and leaves the model as it was found.</summary>
    /// <param name="layers">What <see cref="Carry"/> returned; they are of no use afterwards.</param>
    public void Undo(IReadOnlyList<AdaptedLayer> layers)
    {
        foreach (var (step, adapted) in _steps.Zip(layers))
        {
            ModuleSurgery.Fill(step.Slots, step.Layer);

            // Not the adapted layer itself: it would dispose the model's own layer with it.
            adapted.Layer.LoraA.Dispose();
            adapted.Layer.LoraB.Dispose();
        }

        foreach (var (parameter, requiresGradient) in _before)
        {
            parameter.requires_grad = requiresGradient;
        }
    }

    private static List<NamedModule> Select(nn.Module model, NamedModule[] places, TargetModules targets, TargetMatcher matcher)
    {
        var all = ReferenceEquals(targets, TargetModules.AllLinear);
        var selected = all
            ? places.Where(place => LinearShape.IsLinear(place.Module) && !DefaultTargets.IsOutputEmbedding(model, place)
                && !matcher.IsExcluded(place.Name) && matcher.IsInLayers(place.Name)).ToList()
            : places.Where(place => matcher.IsTarget(place.Name)).ToList();
        if (selected.Count == 0)
        {
            throw new ArgumentException(Errors.NoTargetMatches(model.GetType(), targets, LinearNames(places)));
        }

        return selected.FirstOrDefault(place => !LinearShape.IsLinear(place.Module)) is { Module: not null } other
            ? throw new ArgumentException(Errors.TargetNotLinear(targets, other.Name, other.Module.GetType()))
            : selected;
    }

    // peft adds the classification head to modules_to_save by itself; without that the head would stay as random as it was made.
    private static void RefuseTrainedHeads(LoraConfig config, NamedModule[] places)
    {
        if (config.TaskType is TaskType.SeqCls or TaskType.TokenCls
            && places.FirstOrDefault(place => place.ChildName is "score" or "classifier").Name is { } head)
        {
            throw new NotSupportedException(Errors.TrainedHead(config.TaskType.Value, head));
        }
    }

    private static LoraConfig Resolve(nn.Module model, LoraConfig config, TargetModules targets, List<Step> steps) => config with
    {
        TargetModules = ReferenceEquals(targets, TargetModules.AllLinear) ? [.. steps.Select(step => step.Name)] : targets,
        FanInFanOut = steps.Exists(step => step.Shape.IsTransposed),
        BaseModelNameOrPath = config.BaseModelNameOrPath ?? (model as IPretrainedModel)?.NameOrPath,
    };

    private LoraLinear MakeLayer(Step step, AdapterInitializer initializer)
    {
        var scaling = Config.UseRslora ? step.Alpha / Math.Sqrt(step.Rank) : step.Alpha / step.Rank;
        var (a, b) = initializer.Draw(step.Shape, step.Rank);
        return new LoraLinear(step.Layer, a, b, step.Alpha, scaling, Config.LoraDropout);
    }

    private static IEnumerable<string> LinearNames(NamedModule[] places) =>
        places.Where(place => LinearShape.IsLinear(place.Module)).Select(place => place.Name);

    private sealed record Step(string Name, nn.Module<Tensor, Tensor> Layer, List<ModuleSlot> Slots, int Rank, double Alpha)
    {
        public LinearShape Shape => LinearShape.Of(Layer)!.Value;
    }
}
