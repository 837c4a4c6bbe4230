namespace LoraFhe.Models;

/// <summary>The methods of a string that a template may call.</summary>
internal static class StringMethods
{
    /// <summary>The method of the name; null if there is none.</summary>
    public static TemplateFunction? Find(string text, string name)
    {
        Func<TemplateRun, TemplateArguments, object?>? method = name switch
        {
            "strip" => (run, arguments) => Strip(run, text, arguments, atStart: true, atEnd: true),
            "lstrip" => (run, arguments) => Strip(run, text, arguments, atStart: true, atEnd: false),
            "rstrip" => (run, arguments) => Strip(run, text, arguments, atStart: false, atEnd: true),
            "upper" => (run, arguments) => Change(run, arguments, text, text.ToUpperInvariant),
            "lower" => (run, arguments) => Change(run, arguments, text, text.ToLowerInvariant),
            "title" => (run, arguments) => Change(run, arguments, text, () => PythonString.Title(text)),
            "capitalize" => (run, arguments) => Change(run, arguments, text, () => PythonString.Capitalize(text)),
            "split" => (run, arguments) => Split(run, text, arguments),
            "join" => (run, arguments) => Join(run, text, arguments),
            "replace" => (run, arguments) => Replace(run, text, arguments),
            "startswith" => (run, arguments) => Affixes(run, arguments, "prefix").Any(affix => text.StartsWith(affix, StringComparison.Ordinal)),
            "endswith" => (run, arguments) => Affixes(run, arguments, "suffix").Any(affix => text.EndsWith(affix, StringComparison.Ordinal)),
            "removeprefix" => (run, arguments) => RemovePrefix(run, text, arguments),
            "removesuffix" => (run, arguments) => RemoveSuffix(run, text, arguments),
            "find" => (run, arguments) => Find(run, text, arguments),
            _ => null,
        };
        return method is null ? null : new TemplateFunction(name, method);
    }

    /// <summary>Puts a text in place of another, at most so many times.</summary>
    /// <exception cref="InvalidDataException">The old text is empty.</exception>
    public static string Replace(TemplateRun run, string text, string old, string replacement, long count)
    {
        if (old.Length == 0)
        {
            throw run.Fault(Errors.TemplateUnsupported("a replacement of the empty string"));
        }

        run.SpendSearch(text, old);
        var parts = new List<string>();
        int start = 0;
        for (int found = Next(text, old, 0); found >= 0 && count != 0; found = Next(text, old, start), count--)
        {
            run.Step();
            run.Spend((long)replacement.Length + found - start);
            parts.Add(text[start..found]);
            parts.Add(replacement);
            start = found + old.Length;
        }

        return start == 0 ? text : string.Concat(parts.Append(text[start..]));
    }

    /// <summary>The elements with the text between them.</summary>
    public static string Join(TemplateRun run, string separator, IReadOnlyList<string> parts)
    {
        run.Spend(parts.Sum(part => (long)part.Length + separator.Length));
        return string.Join(separator, parts);
    }

    private static int Next(string text, string sought, int start) => text.IndexOf(sought, start, StringComparison.Ordinal);

    private static string Strip(TemplateRun run, string text, TemplateArguments arguments, bool atStart, bool atEnd)
    {
        object?[] values = arguments.Bind(run, required: 0, "chars");
        return PythonString.Strip(run, text, values[0] == TemplateArguments.Missing || values[0] is null ? null : Text(run, arguments, values[0]), atStart, atEnd);
    }

    private static string Change(TemplateRun run, TemplateArguments arguments, string text, Func<string> change)
    {
        arguments.Bind(run, required: 0);
        run.Spend(text.Length);
        return change();
    }

    private static TemplateSequence Split(TemplateRun run, string text, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "sep", "maxsplit");
        long most = values[1] == TemplateArguments.Missing ? -1 : Integer(run, arguments, values[1]);
        string? separator = values[0] == TemplateArguments.Missing || values[0] is null ? null : Text(run, arguments, values[0]);
        if (separator is "")
        {
            throw run.Fault(Errors.TemplateUnsupported("a split at the empty string"));
        }

        run.SpendSearch(text, separator ?? "");
        return TemplateSequence.List(separator is null ? SplitAtSpace(run, text, most) : SplitAt(run, text, separator, most));
    }

    private static List<object?> SplitAt(TemplateRun run, string text, string separator, long most)
    {
        var parts = new List<object?>();
        int start = 0;
        for (int found = Next(text, separator, 0); found >= 0 && most != 0; found = Next(text, separator, start), most--)
        {
            run.Step();
            parts.Add(text[start..found]);
            start = found + separator.Length;
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static List<object?> SplitAtSpace(TemplateRun run, string text, long most)
    {
        var parts = new List<object?>();
        for (int start = TagLexer.AfterSpace(text, 0); start < text.Length; most--)
        {
            run.Step();
            int end = start;
            while (end < text.Length && (most == 0 || !PythonString.IsSpace(text[end])))
            {
                end++;
            }

            parts.Add(most == 0 ? text[start..] : text[start..end]);
            start = TagLexer.AfterSpace(text, end);
        }

        return parts;
    }

    private static string Join(TemplateRun run, string separator, TemplateArguments arguments)
    {
        IReadOnlyList<object?> items = TemplateValue.Iterate(run, arguments.Bind(run, required: 1, "iterable")[0]);
        run.Step(items.Count);
        return Join(run, separator, [.. items.Select(item => Text(run, arguments, item))]);
    }

    private static string Replace(TemplateRun run, string text, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 2, "old", "new", "count");
        long count = values[2] == TemplateArguments.Missing ? -1 : Integer(run, arguments, values[2]);
        return Replace(run, text, Text(run, arguments, values[0]), Text(run, arguments, values[1]), count);
    }

    private static List<string> Affixes(TemplateRun run, TemplateArguments arguments, string parameter)
    {
        object? value = arguments.Bind(run, required: 1, parameter)[0];
        IReadOnlyList<object?> affixes = value is TemplateSequence { Kind: SequenceKind.Tuple } several ? several.Items : [value];
        run.Step(affixes.Count);
        List<string> texts = [.. affixes.Select(affix => Text(run, arguments, affix))];
        run.Spend(texts.Sum(affix => (long)affix.Length));
        return texts;
    }

    private static string RemovePrefix(TemplateRun run, string text, TemplateArguments arguments)
    {
        string prefix = Text(run, arguments, arguments.Bind(run, required: 1, "prefix")[0]);
        run.Spend(text.Length);
        return text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;
    }

    private static string RemoveSuffix(TemplateRun run, string text, TemplateArguments arguments)
    {
        string suffix = Text(run, arguments, arguments.Bind(run, required: 1, "suffix")[0]);
        run.Spend(text.Length);
        return text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;
    }

    private static long Find(TemplateRun run, string text, TemplateArguments arguments)
    {
        string sought = Text(run, arguments, arguments.Bind(run, required: 1, "sub")[0]);
        run.SpendSearch(text, sought);
        int found = Next(text, sought, 0);
        return found < 0 ? -1 : PythonString.Length(text[..found]);
    }

    private static string Text(TemplateRun run, TemplateArguments arguments, object? value) =>
        value as string ?? throw run.Fault(Errors.TemplateArgumentType(arguments.Owner, "a string", TemplateValue.TypeName(value)));

    private static long Integer(TemplateRun run, TemplateArguments arguments, object? value) =>
        TemplateValue.Integer(value) ?? throw run.Fault(Errors.TemplateArgumentType(arguments.Owner, "a whole number", TemplateValue.TypeName(value)));
}
