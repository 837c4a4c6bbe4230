namespace LoraFhe.Models;

/// <summary>The methods of a dictionary that a template may call: those that change nothing.</summary>
internal static class DictionaryMethods
{
    /// <summary>The method of the name; null if there is none.</summary>
    public static TemplateFunction? Find(TemplateDictionary dictionary, string name)
    {
        Func<TemplateRun, TemplateArguments, object?>? method = name switch
        {
            "get" => (run, arguments) => Get(run, dictionary, arguments),
            "items" => (run, arguments) => View(run, arguments, TemplateValue.Pairs(run, dictionary)),
            "keys" => (run, arguments) => View(run, arguments, TemplateValue.Keys(run, dictionary)),
            "values" => (run, arguments) => View(run, arguments, Values(run, dictionary)),
            _ => null,
        };
        return method is null ? null : new TemplateFunction(name, method);
    }

    private static object? Get(TemplateRun run, TemplateDictionary dictionary, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 1, "key", "default");
        return values[0] is string key && dictionary.TryGet(key, out object? found) ? found : values[1] == TemplateArguments.Missing ? null : values[1];
    }

    private static TemplateSequence View(TemplateRun run, TemplateArguments arguments, IReadOnlyList<object?> items)
    {
        arguments.Bind(run, required: 0);
        return new TemplateSequence(items, SequenceKind.View);
    }

    private static IReadOnlyList<object?> Values(TemplateRun run, TemplateDictionary dictionary)
    {
        run.Step(dictionary.Entries.Count);
        return [.. dictionary.Entries.Select(entry => entry.Value)];
    }
}
