namespace LoraFhe.Models;

/// <summary>Cuts what stands between <c>{{</c> and <c>}}</c>, or <c>{%</c> and <c>%}</c>, into tokens.</summary>
internal sealed class TagLexer(string file, string source, List<TemplateToken> tokens)
{
    private static readonly string[] LongOperators = ["//", "**", "==", "!=", ">=", "<="];
    private const string ShortOperators = "+-/*%~[](){}><=.:|,;";

    private readonly Stack<char> _open = new();
    private int _position;
    private int _line;

    /// <summary>The position after the white space that begins here.</summary>
    public static int AfterSpace(string source, int position)
    {
        while (position < source.Length && PythonString.IsSpace(source[position]))
        {
            position++;
        }

        return position;
    }

    /// <summary>The position after a tag's end and the white space that the end takes.</summary>
    public static int AfterEnd(string source, int position, char sign, bool trimsLine)
    {
        if (sign == '-')
        {
            return AfterSpace(source, position);
        }

        bool takesBreak = trimsLine && sign != '+' && position < source.Length && source[position] == '\n';
        return takesBreak ? position + 1 : position;
    }

    /// <summary>Reads to the tag's end, the end's token included.</summary>
    /// <returns>Where the text after the tag begins.</returns>
    public (int Position, int Line) Read(int position, int line, bool isOutput)
    {
        (_position, _line) = (position, line);
        _open.Clear();
        while (!TryReadEnd(isOutput))
        {
            int next = AfterSpace(source, _position);
            if (next == _position)
            {
                ReadToken(isOutput);
            }
            else
            {
                MoveTo(next);
            }
        }

        return (_position, _line);
    }

    private bool TryReadEnd(bool isOutput)
    {
        int end = _position;
        char sign = end < source.Length && (source[end] == '-' || (source[end] == '+' && !isOutput)) ? source[end] : '\0';
        end += sign == '\0' ? 0 : 1;
        if (_open.Count > 0 || string.CompareOrdinal(source, end, isOutput ? "}}" : "%}", 0, 2) != 0)
        {
            return false;
        }

        tokens.Add(new TemplateToken(isOutput ? TokenKind.OutputEnd : TokenKind.BlockEnd, source.Substring(end, 2), _line));
        MoveTo(AfterEnd(source, end + 2, sign, trimsLine: !isOutput));
        return true;
    }

    private void ReadToken(bool isOutput)
    {
        if (_position >= source.Length)
        {
            throw Fault(Errors.TemplateUnclosed(isOutput ? "'{{'" : "'{%'"));
        }

        char first = source[_position];
        if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (char.IsLetter(first) || first == '_')
        {
            Add(TokenKind.Name, WhileTrue(_position, c => char.IsLetterOrDigit(c) || c == '_'));
        }
        else if (first is '\'' or '"')
        {
            ReadString(first);
        }
        else
        {
            ReadOperator(first);
        }
    }

    private void ReadNumber()
    {
        int end = WhileTrue(_position, char.IsAsciiDigit);
        bool isFloat = false;

        // After a dot it is an index: messages.0.1
        if (_position == 0 || source[_position - 1] != '.')
        {
            if (end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]))
            {
                (end, isFloat) = (WhileTrue(end + 1, char.IsAsciiDigit), true);
            }

            int exponent = end < source.Length && source[end] is 'e' or 'E' ? end + 1 : source.Length;
            exponent += exponent < source.Length && source[exponent] is '+' or '-' ? 1 : 0;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                (end, isFloat) = (WhileTrue(exponent, char.IsAsciiDigit), true);
            }
        }

        Add(isFloat ? TokenKind.Float : TokenKind.Integer, end);
    }

    private void ReadString(char quote)
    {
        int end = _position + 1;
        while (end < source.Length && source[end] != quote)
        {
            end += source[end] == '\\' ? 2 : 1;
        }

        if (end >= source.Length)
        {
            throw Fault(Errors.TemplateUnclosed("a string"));
        }

        string text = StringEscapes.Decode(source.AsSpan(_position + 1, end - _position - 1))
            ?? throw Fault(Errors.TemplateEscape);
        tokens.Add(new TemplateToken(TokenKind.String, text, _line));
        MoveTo(end + 1);
    }

    private void ReadOperator(char first)
    {
        foreach (string operation in LongOperators)
        {
            if (string.CompareOrdinal(source, _position, operation, 0, 2) == 0)
            {
                Add(TokenKind.Operator, _position + 2);
                return;
            }
        }

        if (!ShortOperators.Contains(first, StringComparison.Ordinal))
        {
            throw Fault(Errors.TemplateCharacter(first));
        }

        Balance(first);
        Add(TokenKind.Operator, _position + 1);
    }

    // Inside of brackets, "}}" ends two dictionaries and not the tag.
    private void Balance(char symbol)
    {
        if (symbol is '(' or '[' or '{')
        {
            _open.Push(symbol switch { '(' => ')', '[' => ']', _ => '}' });
        }
        else if (symbol is ')' or ']' or '}' && (!_open.TryPop(out char expected) || expected != symbol))
        {
            throw Fault(Errors.TemplateUnexpected($"'{symbol}'"));
        }
    }

    private int WhileTrue(int position, Func<char, bool> holds)
    {
        while (position < source.Length && holds(source[position]))
        {
            position++;
        }

        return position;
    }

    private void Add(TokenKind kind, int end)
    {
        tokens.Add(new TemplateToken(kind, source[_position..end], _line));
        MoveTo(end);
    }

    private void MoveTo(int position)
    {
        _line += source.AsSpan(_position, position - _position).Count('\n');
        _position = position;
    }

    private InvalidDataException Fault(string what) => new(Errors.Template(file, _line, what));
}
