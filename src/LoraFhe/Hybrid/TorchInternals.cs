using System.Reflection;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The members of TorchSharp 0.107.0 that replacing a child needs and that are not public. Looked up once; a test holds their names.</summary>
internal static class TorchInternals
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly FieldInfo Submodules = typeof(nn.Module).GetField("_internal_submodules", Instance)
        ?? throw new MissingFieldException(nameof(nn.Module), "_internal_submodules");

    private static readonly MethodInfo RegisterComponents = typeof(nn.Module).GetMethod("RegisterComponents", Instance, Type.EmptyTypes)
        ?? throw new MissingMethodException(nameof(nn.Module), "RegisterComponents");

    /// <summary>The registry of a module's children. A <c>Sequential</c> leaves it empty and lists its children itself.</summary>
    public static OrderedDict<string, nn.Module> Registry(nn.Module module) => (OrderedDict<string, nn.Module>)Submodules.GetValue(module)!;

    /// <summary>Registers the module's fields if its own constructor did not, as registering it as a child would.</summary>
    public static void EnsureRegistered(nn.Module module) => RegisterComponents.Invoke(module, null);
}
