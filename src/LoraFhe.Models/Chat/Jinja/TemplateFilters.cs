using System.Globalization;

namespace LoraFhe.Models;

/// <summary>The filters that give a text, a number or one element.</summary>
internal static class TemplateFilters
{
    /// <summary>Applies a filter.</summary>
    /// <exception cref="InvalidDataException">The filter is not supported, or the value or an argument is not what it needs.</exception>
    public static object? Apply(TemplateRun run, object? value, TemplateArguments arguments) => arguments.Owner switch
    {
        "trim" => Trim(run, value, arguments),
        "upper" => Change(run, value, arguments, static text => text.ToUpperInvariant()),
        "lower" => Change(run, value, arguments, static text => text.ToLowerInvariant()),
        "title" => Change(run, value, arguments, PythonString.TitleWords),
        "capitalize" => Change(run, value, arguments, PythonString.Capitalize),
        "string" => Change(run, value, arguments, static text => text),
        "replace" => Replace(run, value, arguments),
        "join" => Join(run, value, arguments),
        "tojson" => ToJson(run, value, arguments),
        "default" or "d" => Default(run, value, arguments),
        "length" or "count" => Only(run, arguments, TemplateValue.Length(run, value)),
        "int" => ToInteger(run, value, arguments),
        "float" => ToFloat(run, value, arguments),
        "abs" => Absolute(run, value, arguments),
        _ => SequenceFilters.Apply(run, value, arguments),
    };

    /// <summary>A filter's value, once it is seen that the filter was given no argument.</summary>
    public static T Only<T>(TemplateRun run, TemplateArguments arguments, T value)
    {
        arguments.Bind(run, required: 0);
        return value;
    }

    private static string Trim(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "chars");
        string? characters = values[0] == TemplateArguments.Missing || values[0] is null ? null
            : values[0] as string ?? throw WrongType(run, arguments, "a string", values[0]);
        return PythonString.Strip(run, TemplateText.Of(run, value), characters, atStart: true, atEnd: true);
    }

    private static string Change(TemplateRun run, object? value, TemplateArguments arguments, Func<string, string> change)
    {
        string text = Only(run, arguments, TemplateText.Of(run, value));
        run.Spend(text.Length);
        return change(text);
    }

    private static string Replace(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 2, "old", "new", "count");
        long count = values[2] == TemplateArguments.Missing || values[2] is null ? -1
            : TemplateValue.Integer(values[2]) ?? throw WrongType(run, arguments, "a whole number", values[2]);
        return StringMethods.Replace(run, TemplateText.Of(run, value), TemplateText.Of(run, values[0]), TemplateText.Of(run, values[1]), count);
    }

    private static string Join(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "d", "attribute");
        string separator = values[0] == TemplateArguments.Missing ? "" : TemplateText.Of(run, values[0]);
        IEnumerable<object?> items = TemplateValue.Iterate(run, value);
        if (values[1] != TemplateArguments.Missing && values[1] is not null)
        {
            items = items.Select(item => SequenceFilters.Attribute(run, item, values[1], arguments));
        }

        return StringMethods.Join(run, separator, [.. items.Select(item => TemplateText.Of(run, item))]);
    }

    private static string ToJson(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "ensure_ascii", "indent", "separators", "sort_keys");
        if (values[2] != TemplateArguments.Missing && values[2] is not null)
        {
            throw run.Fault(Errors.TemplateUnsupported("'separators' of the filter 'tojson'"));
        }

        int? indent = values[1] == TemplateArguments.Missing || values[1] is null ? null
            : values[1] is long and >= 0 and <= 64 and long width ? (int)width : throw WrongType(run, arguments, "an indent from 0 to 64", values[1]);
        return new TemplateJson(run, IsGivenAndTrue(values[0]), indent, IsGivenAndTrue(values[3])).Write(value);
    }

    private static object? Default(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "default_value", "boolean");
        bool isReplaced = value is TemplateUndefined || (IsGivenAndTrue(values[1]) && !TemplateValue.IsTrue(value));
        return !isReplaced ? value : values[0] == TemplateArguments.Missing ? "" : values[0];
    }

    private static object? ToInteger(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "default");
        object? otherwise = values[0] == TemplateArguments.Missing ? 0L : values[0];
        return value switch
        {
            TemplateUndefined undefined => throw run.Fault(Errors.TemplateUseOfUndefined(undefined.What)),
            string text => Parse(run, text) ?? otherwise,
            double number => Truncate(run, number),
            _ => TemplateValue.Integer(value) ?? otherwise,
        };
    }

    private static long? Parse(TemplateRun run, string text)
    {
        string digits = PythonString.Strip(run, Written(run, text), characters: null, atStart: true, atEnd: true);
        if (digits.AsSpan(digits.StartsWith('-') || digits.StartsWith('+') ? 1 : 0) is { IsEmpty: false } unsigned && !unsigned.ContainsAnyExceptInRange('0', '9'))
        {
            return long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? whole : throw run.Fault(Errors.TemplateOverflow);
        }

        return PythonFloat.Read(text) is { } number && double.IsFinite(number) ? Truncate(run, number) : null;
    }

    private static string Written(TemplateRun run, string text) => !run.Spend(text).Contains('_', StringComparison.Ordinal)
        ? text
        : throw run.Fault(Errors.TemplateUnsupported("a number written with '_'"));

    private static long Truncate(TemplateRun run, double number) =>
        Math.Abs(number) < long.MaxValue ? (long)number : throw run.Fault(Errors.TemplateOverflow);

    private static object? ToFloat(TemplateRun run, object? value, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 0, "default");
        object? otherwise = values[0] == TemplateArguments.Missing ? 0.0 : values[0];
        return value switch
        {
            TemplateUndefined undefined => throw run.Fault(Errors.TemplateUseOfUndefined(undefined.What)),
            string text => PythonFloat.Read(Written(run, text)) ?? otherwise,
            _ => TemplateValue.Number(value) ?? otherwise,
        };
    }

    private static object Absolute(TemplateRun run, object? value, TemplateArguments arguments)
    {
        arguments.Bind(run, required: 0);
        return TemplateArithmetic.Sign(run, value, isMinus: TemplateValue.Number(value) is < 0);
    }

    private static bool IsGivenAndTrue(object? value) => value != TemplateArguments.Missing && TemplateValue.IsTrue(value);

    private static InvalidDataException WrongType(TemplateRun run, TemplateArguments arguments, string expected, object? value) =>
        run.Fault(Errors.TemplateArgumentType(arguments.Owner, expected, TemplateValue.TypeName(value)));
}
