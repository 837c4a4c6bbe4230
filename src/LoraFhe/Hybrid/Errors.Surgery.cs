namespace LoraFhe;

internal static partial class Errors
{
    public static string NoSuchChild(Type parent, string childName, IEnumerable<string> children) =>
        $"'{TypeName(parent)}' has no child '{childName}'; it has {Quoted(children)}.";

    public static string FieldTooNarrow(string layer, Type owner, string field, Type fieldType, Type replacement) =>
        $"Layer '{layer}': '{TypeName(owner)}.{field}' is typed '{TypeName(fieldType)}', which cannot hold the '{TypeName(replacement)}' that replaces it. "
        + "Type it as 'Module<Tensor, Tensor>'.";

    public static string CollectionReadOnly(string layer, Type owner, string field, Type replacement) =>
        $"Layer '{layer}': '{TypeName(owner)}.{field}' is a collection that cannot be changed, so the '{TypeName(replacement)}' that replaces it cannot be put there. "
        + "Hold it in an array, a List or a ModuleList.";

    public static string HolderNotFound(string layer, Type? owner) =>
        $"Layer '{layer}' is registered in '{(owner is null ? "its parent" : TypeName(owner))}', but no field, list or dictionary there holds it, so it cannot be replaced. "
        + "Hold it in a field typed 'Module<Tensor, Tensor>', a Sequential or a ModuleList.";

    public static string HookedElsewhere(string layer, Type owner, string field, Type replacement) =>
        $"Layer '{layer}': '{TypeName(owner)}.{field}' cannot hold the '{TypeName(replacement)}' that replaces it, and another place that shares the layer has replaced it already. "
        + "Type it as 'Module<Tensor, Tensor>'.";

    public static string HookedInputChanged(Type layer) =>
        $"A pre-hook changed the input of a '{TypeName(layer)}' after the layer was replaced. Register hooks before that, or on the module that replaced it.";

    public static string ReplacementNotCalled(string layer, Type owner, string field, Type fieldType, Type replacement) =>
        $"Layer '{layer}': the '{TypeName(replacement)}' that replaces it was never called, since '{TypeName(owner)}.{field}', typed '{TypeName(fieldType)}', still holds the layer itself. "
        + "Use it by '.call(...)' instead of '.forward(...)' or its weight, or type it as 'Module<Tensor, Tensor>', as a layer must be that a batch may leave out.";

    public static string ReplacementPassed(string layer, Type replacement) =>
        $"Layer '{layer}' was called past the '{TypeName(replacement)}' that replaced it, by a reference or delegate taken before. Call the field that holds the layer.";

    public static string Conv1DWeightShape(IReadOnlyList<long> shape) =>
        $"A Conv1D's weight is [in, out]; this one is {Shape(shape)}.";

    public static string Conv1DBiasShape(IReadOnlyList<long> shape, long outFeatures) =>
        $"A Conv1D with {outFeatures} outputs has a bias of [{outFeatures}]; this one is {Shape(shape)}.";

    public static string Conv1DInputShape(IReadOnlyList<long> shape, long inFeatures) =>
        $"A Conv1D with {inFeatures} inputs takes [..., {inFeatures}]; the input is {Shape(shape)}.";

    private static string Shape(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";

    private static string Quoted(IEnumerable<string> names)
    {
        var quoted = string.Join(", ", names.Select(name => $"'{name}'"));
        return quoted.Length == 0 ? "none" : quoted;
    }

    /// <summary>A type as C# spells it: <c>ModuleList&lt;Linear&gt;</c>.</summary>
    private static string TypeName(Type type)
    {
        if (type.IsArray)
        {
            return TypeName(type.GetElementType()!) + "[]";
        }

        if (!type.IsGenericType)
        {
            return type.Name;
        }

        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        var name = tick < 0 ? type.Name : type.Name[..tick];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(TypeName))}>";
    }
}
