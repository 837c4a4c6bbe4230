using System.Reflection;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The members of TorchSharp 0.107.0 that are needed and not public. Looked up once; a test holds their names.</summary>
internal static class TorchInternals
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly FieldInfo Submodules = typeof(nn.Module).GetField("_internal_submodules", Instance)
        ?? throw new MissingFieldException(nameof(nn.Module), "_internal_submodules");

    private static readonly FieldInfo Parameters = typeof(nn.Module).GetField("_internal_params", Instance)
        ?? throw new MissingFieldException(nameof(nn.Module), "_internal_params");

    private static readonly MethodInfo RegisterComponents = typeof(nn.Module).GetMethod("RegisterComponents", Instance, Type.EmptyTypes)
        ?? throw new MissingMethodException(nameof(nn.Module), "RegisterComponents");

    private static readonly FieldInfo ScheduledOptimizer = typeof(optim.lr_scheduler.LRScheduler).GetField("_optimizer", Instance)
        ?? throw new MissingFieldException(nameof(optim.lr_scheduler.LRScheduler), "_optimizer");

    /// <summary>The optimizer whose rates a schedule sets; null if it is not known, for a schedule of the user's own.</summary>
    public static optim.Optimizer? OptimizerOf(optim.lr_scheduler.LRScheduler schedule) => (optim.Optimizer?)ScheduledOptimizer.GetValue(schedule);

    /// <summary>The registry of a module's children. A <c>Sequential</c> leaves it empty and lists its children itself.</summary>
    public static OrderedDict<string, nn.Module> Registry(nn.Module module) => (OrderedDict<string, nn.Module>)Submodules.GetValue(module)!;

    /// <summary>Stores a parameter in the field and the registry of a layer that keeps it in a field of its name. The one before is not
    /// disposed of, as its property would.</summary>
    public static void SetParameter(nn.Module layer, string name, Parameter parameter)
    {
        var field = layer.GetType().GetField("_" + name, Instance) ?? throw new MissingFieldException(layer.GetType().Name, "_" + name);
        field.SetValue(layer, parameter);
        var registry = (OrderedDict<string, Parameter>)Parameters.GetValue(layer)!;
        registry[name] = parameter;
    }

    /// <summary>Registers the module's fields if its own constructor did not, as registering it as a child would.</summary>
    public static void EnsureRegistered(nn.Module module) => RegisterComponents.Invoke(module, null);
}
