namespace LoraFhe.Models;

/// <summary>A piece of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text.</param>
/// <param name="Line">The line it begins on, from 1.</param>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, int Line)
{
    /// <summary>Whether it is the keyword or name.</summary>
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>Whether it is the operator.</summary>
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    /// <summary>What an error calls it.</summary>
    public string Shown => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.OutputEnd => "'}}'",
        TokenKind.String => "a string",
        _ => $"'{Text}'",
    };
}
