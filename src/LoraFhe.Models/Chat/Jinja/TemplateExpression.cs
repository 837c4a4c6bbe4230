namespace LoraFhe.Models;

/// <summary>An expression of a template, as parsed.</summary>
/// <param name="Line">The line it stands on.</param>
internal abstract record TemplateExpression(int Line)
{
    /// <summary>A string, a number, a truth value or none.</summary>
    public sealed record Literal(int Line, object? Value) : TemplateExpression(Line);

    /// <summary>A variable.</summary>
    public sealed record Name(int Line, string Id) : TemplateExpression(Line);

    /// <summary>A list or a tuple.</summary>
    public sealed record Sequence(int Line, IReadOnlyList<TemplateExpression> Items, bool IsTuple) : TemplateExpression(Line);

    /// <summary>A dictionary.</summary>
    public sealed record Dictionary(int Line, IReadOnlyList<(TemplateExpression Key, TemplateExpression Value)> Entries) : TemplateExpression(Line);

    /// <summary><c>target.id</c>.</summary>
    public sealed record Attribute(int Line, TemplateExpression Target, string Id) : TemplateExpression(Line);

    /// <summary><c>target[index]</c>.</summary>
    public sealed record Item(int Line, TemplateExpression Target, TemplateExpression Index) : TemplateExpression(Line);

    /// <summary><c>target[start:stop:step]</c>, each part optional.</summary>
    public sealed record Slice(int Line, TemplateExpression Target, TemplateExpression? Start, TemplateExpression? Stop, TemplateExpression? Step) : TemplateExpression(Line);

    /// <summary><c>target(arguments)</c>.</summary>
    public sealed record Call(int Line, TemplateExpression Target, CallArguments Arguments) : TemplateExpression(Line);

    /// <summary><c>target | id(arguments)</c>.</summary>
    public sealed record Filter(int Line, TemplateExpression Target, string Id, CallArguments Arguments) : TemplateExpression(Line);

    /// <summary><c>target is id(arguments)</c>.</summary>
    public sealed record Test(int Line, TemplateExpression Target, string Id, CallArguments Arguments) : TemplateExpression(Line);

    /// <summary><c>not operand</c>.</summary>
    public sealed record Not(int Line, TemplateExpression Operand) : TemplateExpression(Line);

    /// <summary><c>-operand</c> or <c>+operand</c>.</summary>
    public sealed record Sign(int Line, TemplateExpression Operand, bool IsMinus) : TemplateExpression(Line);

    /// <summary><c>left operation right</c>: one of <c>+ - * / // %</c>.</summary>
    public sealed record Arithmetic(int Line, TemplateExpression Left, string Operation, TemplateExpression Right) : TemplateExpression(Line);

    /// <summary><c>part ~ part ~ ...</c>.</summary>
    public sealed record Concatenation(int Line, IReadOnlyList<TemplateExpression> Parts) : TemplateExpression(Line);

    /// <summary><c>first &lt; second &lt;= third ...</c>: every neighboring pair must hold.</summary>
    public sealed record Comparison(int Line, TemplateExpression First, IReadOnlyList<(string Operation, TemplateExpression Operand)> Links) : TemplateExpression(Line);

    /// <summary><c>left and right</c> or <c>left or right</c>.</summary>
    public sealed record Logical(int Line, bool IsAnd, TemplateExpression Left, TemplateExpression Right) : TemplateExpression(Line);

    /// <summary><c>value if test else otherwise</c>; without <c>else</c> the rest is undefined.</summary>
    public sealed record Conditional(int Line, TemplateExpression Condition, TemplateExpression Value, TemplateExpression? Otherwise) : TemplateExpression(Line);
}
