namespace LoraFhe.Models;

/// <summary>
/// What a template computes with, as Python would: null is none, then <see cref="bool"/>, <see cref="long"/>, <see cref="double"/>, <see cref="string"/>, and the
/// types of this folder.
/// </summary>
internal static class TemplateValue
{
    /// <summary>What errors call the value's type; the value itself may be private.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "none",
        bool => "a truth value",
        long => "a whole number",
        double => "a number",
        string => "a string",
        TemplateSequence { Kind: SequenceKind.List } => "a list",
        TemplateSequence { Kind: SequenceKind.Tuple } => "a tuple",
        TemplateSequence => "an iterator",
        TemplateDictionary => "a dictionary",
        TemplateNamespace => "a namespace",
        LoopState => "the loop",
        TemplateUndefined undefined => Errors.TemplateUndefined(undefined.What),
        _ => "a function",
    };

    /// <summary>Whether <c>if</c> takes the value for true.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or TemplateUndefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        TemplateSequence { Kind: SequenceKind.Generator } => true,
        TemplateSequence sequence => sequence.Items.Count > 0,
        TemplateDictionary dictionary => dictionary.Entries.Count > 0,
        _ => true,
    };

    /// <summary>The elements of what can be gone through.</summary>
    /// <exception cref="InvalidDataException">The value cannot.</exception>
    public static IReadOnlyList<object?> Iterate(TemplateRun run, object? value) => value switch
    {
        TemplateUndefined => [],
        string text => PythonString.Characters(run, text),
        TemplateSequence sequence => sequence.Take(),
        TemplateDictionary dictionary => Keys(run, dictionary),
        _ => throw run.Fault(Errors.TemplateNotIterable(TypeName(value))),
    };

    /// <summary>A dictionary's keys.</summary>
    public static IReadOnlyList<object?> Keys(TemplateRun run, TemplateDictionary dictionary)
    {
        run.Step(dictionary.Entries.Count);
        return [.. dictionary.Entries.Select(entry => entry.Key)];
    }

    /// <summary>A dictionary's entries, as pairs.</summary>
    public static IReadOnlyList<object?> Pairs(TemplateRun run, TemplateDictionary dictionary)
    {
        run.Step(dictionary.Entries.Count);
        return [.. dictionary.Entries.Select(entry => new TemplateSequence([entry.Key, entry.Value], SequenceKind.Tuple))];
    }

    /// <summary>How many elements or characters there are.</summary>
    /// <exception cref="InvalidDataException">The value has no length.</exception>
    public static long Length(TemplateRun run, object? value)
    {
        switch (value)
        {
            case TemplateUndefined:
                return 0;
            case string text:
                run.Spend(text.Length);
                return PythonString.Length(text);
            case TemplateSequence sequence when sequence.Kind != SequenceKind.Generator:
                return sequence.Items.Count;
            case TemplateDictionary dictionary:
                return dictionary.Entries.Count;
            default:
                throw run.Fault(Errors.TemplateNoLength(TypeName(value)));
        }
    }

    /// <summary>The number that the value is, true being 1; null if it is none.</summary>
    public static double? Number(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long number => number,
        double number => number,
        _ => null,
    };

    /// <summary>The whole number that the value is, true being 1; null if it is none.</summary>
    public static long? Integer(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long number => number,
        _ => null,
    };
}
