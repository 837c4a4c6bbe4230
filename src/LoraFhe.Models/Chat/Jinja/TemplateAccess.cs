namespace LoraFhe.Models;

/// <summary>Attributes, elements and slices of values, as Jinja looks them up.</summary>
internal static class TemplateAccess
{
    // What Python's types have beside the methods that are known here: a template that asks for one must not get nothing instead.
    private static readonly HashSet<string> DictionaryAttributes = new(StringComparer.Ordinal)
    {
        "clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update",
    };

    private static readonly HashSet<string> OtherAttributes = new(StringComparer.Ordinal)
    {
        "append", "as_integer_ratio", "bit_count", "bit_length", "casefold", "center", "clear", "conjugate", "copy", "denominator", "encode", "expandtabs", "extend",
        "format", "format_map", "fromhex", "fromkeys", "from_bytes", "hex", "imag", "index", "insert", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit",
        "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "is_integer", "ljust", "maketrans", "numerator", "partition", "pop",
        "real", "remove", "reverse", "rfind", "rindex", "rjust", "rpartition", "rsplit", "sort", "splitlines", "swapcase", "to_bytes", "translate", "zfill",
        "count", "close", "gi_code", "gi_frame", "gi_running", "gi_suspended", "gi_yieldfrom", "send", "start", "step", "stop", "throw",
        "isdisjoint", "mapping",
    };

    /// <summary><c>value.name</c>: a method, or else an element; undefined if there is neither.</summary>
    /// <exception cref="InvalidDataException">The value is undefined, or Python has a method of the name that is not supported.</exception>
    public static object? Attribute(TemplateRun run, object? value, string name)
    {
        if (value is not TemplateDictionary dictionary)
        {
            return OfOther(run, value, name);
        }

        object? method = DictionaryMethods.Find(dictionary, name);
        return method is null && !IsPythons(DictionaryAttributes, name) ? Entry(dictionary, name) : method ?? throw Unsupported(run, name, value);
    }

    /// <summary><c>value[index]</c>: an element, or else a method; undefined if there is neither.</summary>
    /// <exception cref="InvalidDataException">The value is undefined, or Python has a method of the name that is not supported.</exception>
    public static object? Item(TemplateRun run, object? value, object? index)
    {
        if (value is TemplateDictionary dictionary && index is string key)
        {
            return dictionary.TryGet(key, out object? found) ? found : Attribute(run, value, key);
        }

        if (index is string name)
        {
            return OfOther(run, value, name);
        }

        return TemplateValue.Integer(index) is { } position ? Element(run, value, position) : Nothing(run, value, "the element");
    }

    /// <summary><c>value[start:stop:step]</c>.</summary>
    /// <exception cref="InvalidDataException">The value has no slices.</exception>
    public static object? Slice(TemplateRun run, object? value, PythonSlice slice) => value switch
    {
        string text => slice.Of(run, text),
        TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence => new TemplateSequence(slice.Of(run, sequence.Items), sequence.Kind),
        TemplateSequence => throw run.Fault(Errors.TemplateUnsupported("a slice of an iterator")),
        _ => throw run.Fault(Errors.TemplateNoSlices(TemplateValue.TypeName(value))),
    };

    private static object? Element(TemplateRun run, object? value, long index)
    {
        switch (value)
        {
            case string text:
                PythonSlice slice = index == -1 ? new(-1, null, 1) : new(index, index + 1, 1);
                string character = slice.Of(run, text);
                return character.Length > 0 ? character : Nothing(run, value, "the character");
            case TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence:
                long position = PythonSlice.Resolve(index, sequence.Items.Count);
                return position >= 0 && position < sequence.Items.Count ? sequence.Items[(int)position] : Nothing(run, value, "the element");
            case TemplateSequence:
                throw run.Fault(Errors.TemplateUnsupported("an element of an iterator"));
            default:
                return Nothing(run, value, "the element");
        }
    }

    private static object? OfOther(TemplateRun run, object? value, string name) => value switch
    {
        null or TemplateUndefined => Nothing(run, value, name),
        TemplateNamespace space => space.Attributes.TryGetValue(name, out object? attribute) ? attribute : new TemplateUndefined(name),
        LoopState loop => loop.Attribute(run, name),
        string text when StringMethods.Find(text, name) is { } method => method,
        _ when value is TemplateFunction || IsPythons(OtherAttributes, name) => throw Unsupported(run, name, value),
        _ => new TemplateUndefined(name),
    };

    private static object? Entry(TemplateDictionary dictionary, string name) => dictionary.TryGet(name, out object? value) ? value : new TemplateUndefined(name);

    private static bool IsPythons(HashSet<string> attributes, string name) => name.StartsWith("__", StringComparison.Ordinal) || attributes.Contains(name);

    private static InvalidDataException Unsupported(TemplateRun run, string name, object? value) =>
        run.Fault(Errors.TemplateUnsupported(Errors.TemplateMember(name, TemplateValue.TypeName(value))));

    private static TemplateUndefined Nothing(TemplateRun run, object? value, string what) =>
        value is TemplateUndefined undefined ? throw run.Fault(Errors.TemplateUseOfUndefined(undefined.What)) : new TemplateUndefined(what);
}
