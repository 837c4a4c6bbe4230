namespace LoraFhe.Models;

/// <summary>The functions that every template has: Jinja's, and those that transformers adds.</summary>
internal static class TemplateFunctions
{
    // As Jinja's sandbox has it.
    private const int LongestRange = 100_000;

    /// <summary>Names that Jinja gives a value, and we do not: they must not pass for undefined.</summary>
    public static IReadOnlySet<string> Unsupported { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "caller", "cycler", "dict", "joiner", "kwargs", "lipsum", "self", "super", "varargs" };

    /// <summary>The functions.</summary>
    public static IReadOnlyList<TemplateFunction> All { get; } =
    [
        new("raise_exception", RaiseException),
        new("namespace", Namespace),
        new("range", Range),
        new("strftime_now", Now),
    ];

    private static object? RaiseException(TemplateRun run, TemplateArguments arguments) =>
        throw run.Fault(Errors.TemplateRaised(TemplateText.Of(run, arguments.Bind(run, required: 1, "message")[0])));

    private static TemplateNamespace Namespace(TemplateRun run, TemplateArguments arguments)
    {
        if (arguments.Positional.Count > 0)
        {
            throw run.Fault(Errors.TemplateUnsupported("a namespace made from other than names and values"));
        }

        var space = new TemplateNamespace();
        foreach ((string name, object? value) in arguments.Named)
        {
            space.Attributes[name] = value;
        }

        return space;
    }

    private static TemplateSequence Range(TemplateRun run, TemplateArguments arguments)
    {
        object?[] values = arguments.Bind(run, required: 1, "start", "stop", "step");
        if (arguments.Named.Count > 0)
        {
            throw run.Fault(Errors.TemplateArgument("range", arguments.Named[0].Name));
        }

        long first = Integer(run, values[0]);
        (long start, long stop) = values[1] == TemplateArguments.Missing ? (0, first) : (first, Integer(run, values[1]));
        long step = values[2] == TemplateArguments.Missing ? 1 : Integer(run, values[2]);
        return new TemplateSequence(Count(run, start, stop, step), SequenceKind.View);
    }

    private static List<object?> Count(TemplateRun run, Int128 start, Int128 stop, Int128 step)
    {
        if (step == 0)
        {
            throw run.Fault(Errors.TemplateArgument("range", "step"));
        }

        var numbers = new List<object?>();
        for (Int128 number = start; step > 0 ? number < stop : number > stop; number += step)
        {
            run.Step();
            numbers.Add(numbers.Count < LongestRange ? (long)number : throw run.Fault(Errors.TemplateRange(LongestRange)));
        }

        return numbers;
    }

    private static long Integer(TemplateRun run, object? value) =>
        TemplateValue.Integer(value) ?? throw run.Fault(Errors.TemplateArgumentType("range", "a whole number", TemplateValue.TypeName(value)));

    private static string Now(TemplateRun run, TemplateArguments arguments)
    {
        object? value = arguments.Bind(run, required: 1, "format")[0];
        string format = value as string ?? throw run.Fault(Errors.TemplateArgumentType("strftime_now", "a string", TemplateValue.TypeName(value)));
        return TimeFormat.Write(run, format, run.Clock.GetLocalNow());
    }
}
