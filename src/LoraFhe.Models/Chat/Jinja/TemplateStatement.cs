namespace LoraFhe.Models;

/// <summary>A statement of a template, as parsed.</summary>
/// <param name="Line">The line it stands on.</param>
internal abstract record TemplateStatement(int Line)
{
    /// <summary>Text outside of tags.</summary>
    public sealed record Text(int Line, string Value) : TemplateStatement(Line);

    /// <summary><c>{{ value }}</c>.</summary>
    public sealed record Output(int Line, TemplateExpression Value) : TemplateStatement(Line);

    /// <summary><c>if</c> with its <c>elif</c> branches; the branch without a test is <c>else</c>.</summary>
    public sealed record If(int Line, IReadOnlyList<(TemplateExpression? Test, IReadOnlyList<TemplateStatement> Body)> Branches) : TemplateStatement(Line);

    /// <summary><c>for target in items if filter</c>, with its <c>else</c>.</summary>
    public sealed record For(
        int Line, AssignmentTarget Target, TemplateExpression Items, TemplateExpression? Filter, IReadOnlyList<TemplateStatement> Body, IReadOnlyList<TemplateStatement> Otherwise)
        : TemplateStatement(Line);

    /// <summary><c>set target = value</c>.</summary>
    public sealed record Set(int Line, AssignmentTarget Target, TemplateExpression Value) : TemplateStatement(Line);

    /// <summary><c>set target</c> to the text up to <c>endset</c>.</summary>
    public sealed record SetBlock(int Line, AssignmentTarget Target, IReadOnlyList<TemplateStatement> Body) : TemplateStatement(Line);

    /// <summary>A macro; a parameter without a default may be missing from a call.</summary>
    public sealed record Macro(int Line, string Name, IReadOnlyList<(string Name, TemplateExpression? Default)> Parameters, IReadOnlyList<TemplateStatement> Body)
        : TemplateStatement(Line);

    /// <summary><c>generation</c>: what the assistant says. It marks a part of the text and changes none of it.</summary>
    public sealed record Generation(int Line, IReadOnlyList<TemplateStatement> Body) : TemplateStatement(Line);

    /// <summary><c>break</c> or <c>continue</c>.</summary>
    public sealed record Jump(int Line, bool IsBreak) : TemplateStatement(Line);
}
