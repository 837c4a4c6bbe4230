namespace LoraFhe.Models;

/// <summary>A place in a template's tokens, for the parsers: what comes next, and what must.</summary>
internal sealed class TokenCursor(string file, IReadOnlyList<TemplateToken> tokens)
{
    /// <summary>How deep tags and brackets may nest: far more than a template needs, far less than the stack holds.</summary>
    public const int MaxDepth = 200;

    private int _position;
    private int _depth;

    /// <summary>The next token; at the end, the end.</summary>
    public TemplateToken Current => tokens[_position];

    /// <summary>The token after the next.</summary>
    public TemplateToken Following => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    /// <summary>Takes the next token.</summary>
    public TemplateToken Next()
    {
        TemplateToken token = Current;
        _position = Math.Min(_position + 1, tokens.Count - 1);
        return token;
    }

    /// <summary>Takes the next token if it is the operator.</summary>
    public bool TakeOperator(string text) => Take(Current.IsOperator(text));

    /// <summary>Takes the next token if it is the keyword.</summary>
    public bool TakeName(string name) => Take(Current.IsName(name));

    /// <summary>Takes the next token, which must be of the kind.</summary>
    /// <exception cref="InvalidDataException">It is another.</exception>
    public TemplateToken Expect(TokenKind kind, string expected) => Current.Kind == kind ? Next() : throw Unexpected(expected);

    /// <summary>Takes the next token, which must be the operator.</summary>
    /// <exception cref="InvalidDataException">It is another.</exception>
    public void ExpectOperator(string text)
    {
        if (!TakeOperator(text))
        {
            throw Unexpected($"'{text}'");
        }
    }

    /// <summary>Goes one level into what nests.</summary>
    /// <exception cref="InvalidDataException">It is one too many.</exception>
    public void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw Fault(Errors.TemplateTooDeep(MaxDepth));
        }
    }

    /// <summary>Comes back from a level.</summary>
    public void Leave() => _depth--;

    /// <summary>The error of a token where another must stand.</summary>
    public InvalidDataException Unexpected(string expected) => Fault(Errors.TemplateExpected(Current.Shown, expected));

    /// <summary>The error of a construct that is not supported or not right.</summary>
    public InvalidDataException Fault(string what) => new(Errors.Template(file, Current.Line, what));

    private bool Take(bool isNext)
    {
        if (isNext)
        {
            Next();
        }

        return isNext;
    }
}
