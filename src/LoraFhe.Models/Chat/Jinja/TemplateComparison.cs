namespace LoraFhe.Models;

/// <summary>The comparisons of a template: equality, order and membership, as Python has them.</summary>
internal static class TemplateComparison
{
    /// <summary>Whether <c>left operation right</c> holds.</summary>
    /// <exception cref="InvalidDataException">The two cannot be compared so.</exception>
    public static bool Holds(TemplateRun run, string operation, object? left, object? right) => operation switch
    {
        "==" => AreEqual(run, left, right),
        "!=" => !AreEqual(run, left, right),
        "in" => Contains(run, right, left),
        "not in" => !Contains(run, right, left),
        "<" => Order(run, operation, left, right) is < 0,
        "<=" => Order(run, operation, left, right) is <= 0,
        ">" => Order(run, operation, left, right) is > 0,
        _ => Order(run, operation, left, right) is >= 0,
    };

    /// <summary>Whether two values are equal; numbers are whatever their types, sequences only if they are of one kind.</summary>
    public static bool AreEqual(TemplateRun run, object? left, object? right)
    {
        run.Step();
        return (left, right) switch
        {
            (string one, string other) => AreEqual(run, one, other),
            (TemplateUndefined, TemplateUndefined) => true,
            (TemplateSequence one, TemplateSequence other) => ReferenceEquals(one, other) || AreEqual(run, one, other),
            (TemplateDictionary one, TemplateDictionary other) => ReferenceEquals(one, other) || AreEqual(run, one, other),
            _ when TemplateValue.Integer(left) is { } one && TemplateValue.Integer(right) is { } other => one == other,
            _ when TemplateValue.Number(left) is { } one && TemplateValue.Number(right) is { } other => one == other,
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Whether a container has an element, or a text a part.</summary>
    /// <exception cref="InvalidDataException">Nothing can be in the value, or what is sought in a text is none.</exception>
    public static bool Contains(TemplateRun run, object? container, object? value)
    {
        switch (container)
        {
            case string text:
                string part = value as string ?? throw run.Fault(Errors.TemplateOperands("in", TemplateValue.TypeName(value), TemplateValue.TypeName(container)));
                run.SpendSearch(text, part);
                return text.Contains(part, StringComparison.Ordinal);
            case TemplateDictionary dictionary:
                return value is TemplateDictionary or TemplateSequence { Kind: SequenceKind.List }
                    ? throw run.Fault(Errors.TemplateOperands("in", TemplateValue.TypeName(value), TemplateValue.TypeName(container)))
                    : value is string key && dictionary.TryGet(key, out _);
            default:
                return TemplateValue.Iterate(run, container).Any(element => AreEqual(run, element, value));
        }
    }

    private static bool AreEqual(TemplateRun run, string left, string right)
    {
        run.Spend(Math.Min(left.Length, right.Length));
        return left == right;
    }

    private static bool AreEqual(TemplateRun run, TemplateSequence left, TemplateSequence right)
    {
        if (left.Kind != right.Kind || left.Kind == SequenceKind.Generator || left.Items.Count != right.Items.Count)
        {
            return false;
        }

        run.Enter();
        bool areEqual = left.Items.Zip(right.Items).All(pair => AreEqual(run, pair.First, pair.Second));
        run.Leave();
        return areEqual;
    }

    private static bool AreEqual(TemplateRun run, TemplateDictionary left, TemplateDictionary right)
    {
        if (left.Entries.Count != right.Entries.Count)
        {
            return false;
        }

        run.Enter();
        bool areEqual = left.Entries.All(entry => right.TryGet(entry.Key, out object? other) && AreEqual(run, entry.Value, other));
        run.Leave();
        return areEqual;
    }

    // Null where a number is none at all: then no order holds.
    private static int? Order(TemplateRun run, string operation, object? left, object? right)
    {
        if (left is string one && right is string other)
        {
            run.Spend(Math.Min(one.Length, other.Length));
            return PythonString.Compare(one, other);
        }

        if (TemplateValue.Integer(left) is { } whole && TemplateValue.Integer(right) is { } otherWhole)
        {
            return whole.CompareTo(otherWhole);
        }

        return TemplateValue.Number(left) is { } number && TemplateValue.Number(right) is { } otherNumber
            ? double.IsNaN(number) || double.IsNaN(otherNumber) ? null : number.CompareTo(otherNumber)
            : throw run.Fault(Errors.TemplateOperands(operation, TemplateValue.TypeName(left), TemplateValue.TypeName(right)));
    }
}
