using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Which layers of a model get an adapter, everything checked before anything changes.</summary>
internal sealed class AdapterPlan
{
    private readonly List<Step> _steps;

    private AdapterPlan(LoraConfig config, List<Step> steps)
    {
        Config = config;
        _steps = steps;
    }

    /// <summary>The options in effect.</summary>
    public LoraConfig Config { get; }

    /// <summary>Finds the layers that the options mean. Layers that have adapters already are looked through: names are those of the bare model.</summary>
    /// <exception cref="ArgumentException">None matches, or something that is no linear layer does.</exception>
    /// <exception cref="NotSupportedException">A layer cannot be replaced where it is held, or the task needs modules trained whole.</exception>
    public static AdapterPlan Make(nn.Module model, LoraConfig config, ILogger? logger)
    {
        var adapted = new Dictionary<nn.Module, LoraLayer>(ReferenceEqualityComparer.Instance);
        var places = BarePlaces(model, adapted);
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
        var steps = selected.ConvertAll(place => new Step(
            place.Name, (nn.Module<Tensor, Tensor>)place.Module, slots[place.Module], adapted.GetValueOrDefault(place.Module),
            matcher.Rank(place.Name), matcher.Alpha(place.Name)));
        ModuleSurgery.EnsureReplaceable(steps.Select(step => (step.Name, step.Slots, typeof(LoraLinear))));
        return new AdapterPlan(Resolve(model, config, targets, steps), steps, model.parameters());
    }

    /// <summary>Makes the adapter and puts it in.</summary>
    /// <param name="adapter">A name that no layer has.</param>
    /// <param name="seed">Of its initial values; null: torch's global generator draws them.</param>
    public void Carry(string adapter, long? seed)
    {
        using var initializer = new AdapterInitializer(Config.InitLoraWeights, seed);
        foreach (var step in _steps)
        {
            var shape = LinearShape.Of(step.Layer)!.Value;
            var (a, b) = initializer.Draw(shape, step.Rank);
            var layer = (LoraLinear?)step.Adapted ?? new LoraLinear(step.Layer, shape);
            layer.Add(adapter, a, b, new LayerAdapter(step.Rank, step.Alpha, Scaling(Config, step.Rank, step.Alpha), Config.LoraDropout));
            if (step.Adapted is null)
            {
                ModuleSurgery.Fill(step.Slots, layer);
            }
        }
    }

    /// <summary>What an adapter's output is multiplied by.</summary>
    public static double Scaling(LoraConfig config, int rank, double alpha) => config.UseRslora ? alpha / Math.Sqrt(rank) : alpha / rank;

    private static NamedModule[] BarePlaces(nn.Module model, Dictionary<nn.Module, LoraLayer> adapted)
    {
        var places = new List<NamedModule>();
        var inside = (string?)null;
        foreach (var place in ModuleSurgery.Descendants(model))
        {
            if (inside is not null && place.Name.StartsWith(inside, StringComparison.Ordinal))
            {
                continue;
            }

            inside = null;
            if (place.Module is LoraLayer layer)
            {
                inside = place.Name + ".";
                adapted.Add(layer.BaseLayer, layer);
            }

            places.Add(place.Module is LoraLayer { BaseLayer: var bare } ? place with { Module = bare } : place);
        }

        return [.. places];
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
        FanInFanOut = steps.Exists(step => LinearShape.Of(step.Layer)!.Value.IsTransposed),
        BaseModelNameOrPath = config.BaseModelNameOrPath ?? (model as IPretrainedModel)?.NameOrPath,
    };

    private static IEnumerable<string> LinearNames(NamedModule[] places) =>
        places.Where(place => LinearShape.IsLinear(place.Module)).Select(place => place.Name);

    private sealed record Step(
        string Name, nn.Module<Tensor, Tensor> Layer, List<ModuleSlot> Slots, LoraLayer? Adapted, int Rank, double Alpha);
}
