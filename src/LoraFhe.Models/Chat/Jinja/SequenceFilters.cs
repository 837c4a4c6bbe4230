namespace LoraFhe.Models;

/// <summary>The filters that go through a sequence.</summary>
internal static class SequenceFilters
{
    /// <summary>Applies a filter.</summary>
    /// <exception cref="InvalidDataException">The filter is not supported, or the value or an argument is not what it needs.</exception>
    public static object? Apply(TemplateRun run, object? value, TemplateArguments arguments) => arguments.Owner switch
    {
        "first" => First(run, value, arguments),
        "last" => Last(run, value, arguments),
        "list" => TemplateSequence.List(TemplateFilters.Only(run, arguments, Copy(run, value))),
        "reverse" => Reverse(run, value, arguments),
        "items" => Items(run, value, arguments),
        "map" => Map(run, value, arguments),
        "select" => Select(run, value, arguments, ofAttribute: false, wanted: true),
        "reject" => Select(run, value, arguments, ofAttribute: false, wanted: false),
        "selectattr" => Select(run, value, arguments, ofAttribute: true, wanted: true),
        "rejectattr" => Select(run, value, arguments, ofAttribute: true, wanted: false),
        _ => throw run.Fault(Errors.TemplateUnsupported($"the filter '{Errors.TemplateQuote(arguments.Owner)}'")),
    };

    /// <summary>An element's attribute, or an attribute of its attribute, as filters name it: <c>function.name</c>, or an index.</summary>
    public static object? Attribute(TemplateRun run, object? item, object? path, TemplateArguments arguments)
    {
        if (path is long index)
        {
            return TemplateAccess.Item(run, item, index);
        }

        string names = path as string ?? throw run.Fault(Errors.TemplateArgumentType(arguments.Owner, "an attribute's name", TemplateValue.TypeName(path)));
        foreach (string name in names.Split('.'))
        {
            run.Step();
            bool isIndex = name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange('0', '9') && name.Length < 10;
            item = TemplateAccess.Item(run, item, isIndex ? long.Parse(name, System.Globalization.CultureInfo.InvariantCulture) : name);
        }

        return item;
    }

    private static object? First(TemplateRun run, object? value, TemplateArguments arguments)
    {
        arguments.Bind(run, required: 0);
        if (value is TemplateSequence { Kind: SequenceKind.Generator } generator)
        {
            return generator.TakeFirst() is (true, var first) ? first : new TemplateUndefined("the first element");
        }

        IReadOnlyList<object?> items = value is string text ? [.. PythonString.Characters(run, text).Take(1)] : TemplateValue.Iterate(run, value);
        return items.Count > 0 ? items[0] : new TemplateUndefined("the first element");
    }

    private static object? Last(TemplateRun run, object? value, TemplateArguments arguments)
    {
        arguments.Bind(run, required: 0);
        if (value is TemplateSequence { Kind: SequenceKind.Generator })
        {
            throw run.Fault(Errors.TemplateUnsupported("the last element of an iterator"));
        }

        IReadOnlyList<object?> items = TemplateValue.Iterate(run, value);
        return items.Count > 0 ? items[items.Count - 1] : new TemplateUndefined("the last element");
    }

    private static List<object?> Copy(TemplateRun run, object? value)
    {
        IReadOnlyList<object?> items = TemplateValue.Iterate(run, value);
        run.Step(items.Count);
        return [.. items];
    }

    private static object Reverse(TemplateRun run, object? value, TemplateArguments arguments)
    {
        List<object?> items = TemplateFilters.Only(run, arguments, Copy(run, value));
        items.Reverse();
        return value is string ? run.Spend(string.Concat(items)) : new TemplateSequence(items, SequenceKind.Generator);
    }

    private static TemplateSequence Items(TemplateRun run, object? value, TemplateArguments arguments)
    {
        arguments.Bind(run, required: 0);
        IReadOnlyList<object?> pairs = value switch
        {
            TemplateDictionary dictionary => TemplateValue.Pairs(run, dictionary),
            TemplateUndefined => [],
            _ => throw run.Fault(Errors.TemplateArgumentType(arguments.Owner, "a dictionary", TemplateValue.TypeName(value))),
        };
        return new TemplateSequence(pairs, SequenceKind.Generator);
    }

    private static TemplateSequence Map(TemplateRun run, object? value, TemplateArguments arguments)
    {
        Func<object?, object?> change;
        if (arguments.Positional.Count == 0)
        {
            object?[] values = arguments.Bind(run, required: 1, "attribute", "default");
            object? otherwise = values[1] == TemplateArguments.Missing ? null : values[1];
            change = item => Attribute(run, item, values[0], arguments) is var found && found is TemplateUndefined && otherwise is not null ? otherwise : found;
        }
        else
        {
            TemplateArguments inner = arguments.Skip(1, Name(run, arguments, 0));
            change = item => TemplateFilters.Apply(run, item, inner);
        }

        return Generate(run, value, items => items.Select(change));
    }

    private static TemplateSequence Select(TemplateRun run, object? value, TemplateArguments arguments, bool ofAttribute, bool wanted)
    {
        int nameAt = ofAttribute ? 1 : 0;
        if (arguments.Positional.Count < nameAt)
        {
            throw run.Fault(Errors.TemplateArgumentMissing(arguments.Owner, "attribute"));
        }

        bool isNamed = arguments.Positional.Count > nameAt;
        TemplateArguments? test = isNamed ? arguments.Skip(nameAt + 1, Name(run, arguments, nameAt)) : null;
        return Generate(run, value, items => items.Where(item =>
        {
            object? tested = ofAttribute ? Attribute(run, item, arguments.Positional[0], arguments) : item;
            return (test is null ? TemplateValue.IsTrue(tested) : TemplateTests.Holds(run, tested, test)) == wanted;
        }));
    }

    // Filters that name filters, as in map('map', 'map', ...), nest.
    private static TemplateSequence Generate(TemplateRun run, object? value, Func<IReadOnlyList<object?>, IEnumerable<object?>> change)
    {
        run.Enter();
        IReadOnlyList<object?> items = TemplateValue.IsTrue(value) ? TemplateValue.Iterate(run, value) : [];
        run.Step(items.Count);
        var sequence = new TemplateSequence([.. change(items)], SequenceKind.Generator);
        run.Leave();
        return sequence;
    }

    private static string Name(TemplateRun run, TemplateArguments arguments, int index) =>
        arguments.Positional[index] as string
        ?? throw run.Fault(Errors.TemplateArgumentType(arguments.Owner, "a name", TemplateValue.TypeName(arguments.Positional[index])));
}
