namespace LoraFhe.Models;

/// <summary>The tests that follow <c>is</c>.</summary>
internal static class TemplateTests
{
    /// <summary>Whether a value passes a test.</summary>
    /// <exception cref="InvalidDataException">The test is not supported, or the value or an argument is not what it needs.</exception>
    public static bool Holds(TemplateRun run, object? value, TemplateArguments arguments)
    {
        if (OfType(arguments.Owner) is { } holds)
        {
            return TemplateFilters.Only(run, arguments, holds(value));
        }

        return arguments.Owner switch
        {
            "odd" => TemplateFilters.Only(run, arguments, Remainder(run, value, 2L) == 1),
            "even" => TemplateFilters.Only(run, arguments, Remainder(run, value, 2L) == 0),
            "divisibleby" => Remainder(run, value, Operand(run, arguments)) == 0,
            "eq" or "equalto" or "==" => TemplateComparison.Holds(run, "==", value, Operand(run, arguments)),
            "ne" or "!=" => TemplateComparison.Holds(run, "!=", value, Operand(run, arguments)),
            "lt" or "lessthan" or "<" => TemplateComparison.Holds(run, "<", value, Operand(run, arguments)),
            "le" or "<=" => TemplateComparison.Holds(run, "<=", value, Operand(run, arguments)),
            "gt" or "greaterthan" or ">" => TemplateComparison.Holds(run, ">", value, Operand(run, arguments)),
            "ge" or ">=" => TemplateComparison.Holds(run, ">=", value, Operand(run, arguments)),
            "in" => TemplateComparison.Contains(run, Operand(run, arguments), value),
            _ => throw run.Fault(Errors.TemplateUnsupported($"the test '{Errors.TemplateQuote(arguments.Owner)}'")),
        };
    }

    private static Func<object?, bool>? OfType(string name) => name switch
    {
        "defined" => static value => value is not TemplateUndefined,
        "undefined" => static value => value is TemplateUndefined,
        "none" => static value => value is null,
        "true" => static value => value is true,
        "false" => static value => value is false,
        "boolean" => static value => value is bool,
        "string" => static value => value is string,
        "integer" => static value => value is long,
        "float" => static value => value is double,
        "number" => static value => value is bool or long or double,
        "mapping" => static value => value is TemplateDictionary,
        "sequence" => static value => value is string or TemplateDictionary or TemplateUndefined or TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple },
        "iterable" => static value => value is string or TemplateDictionary or TemplateUndefined or TemplateSequence or LoopState,
        _ => null,
    };

    private static object? Operand(TemplateRun run, TemplateArguments arguments) => arguments.Bind(run, required: 1, "other")[0];

    private static double Remainder(TemplateRun run, object? value, object? divisor) =>
        TemplateValue.Number(TemplateArithmetic.Apply(run, "%", value, divisor))!.Value;
}
