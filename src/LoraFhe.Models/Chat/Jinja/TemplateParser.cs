namespace LoraFhe.Models;

/// <summary>Parses the statements of a template.</summary>
internal sealed class TemplateParser
{
    private readonly TokenCursor _cursor;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private TemplateParser(string file, string template)
    {
        _cursor = new TokenCursor(file, TemplateLexer.Read(file, template));
        _expressions = new ExpressionParser(_cursor);
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="InvalidDataException">It is faulty, or has a statement that is not supported; the text names file, line and statement.</exception>
    public static IReadOnlyList<TemplateStatement> Parse(string file, string template)
    {
        var parser = new TemplateParser(file, template);
        return parser.ParseUntil();
    }

    // Ends before the first of the names; without a name, at the end of the template.
    private List<TemplateStatement> ParseUntil(params ReadOnlySpan<string> names)
    {
        _cursor.Enter();
        var statements = new List<TemplateStatement>();
        while (_cursor.Current.Kind != TokenKind.End)
        {
            TemplateToken token = _cursor.Next();
            if (token.Kind == TokenKind.Text)
            {
                statements.Add(new TemplateStatement.Text(token.Line, token.Text));
            }
            else if (token.Kind == TokenKind.OutputBegin)
            {
                statements.Add(new TemplateStatement.Output(token.Line, _expressions.ParseTuple()));
                _cursor.Expect(TokenKind.OutputEnd, "'}}'");
            }
            else if (_cursor.Current.Kind == TokenKind.Name && names.Contains(_cursor.Current.Text))
            {
                _cursor.Leave();
                return statements;
            }
            else
            {
                statements.Add(ParseStatement());
                EndTag();
            }
        }

        _cursor.Leave();
        return names.IsEmpty ? statements : throw _cursor.Unexpected($"'{names[^1]}'");
    }

    private void EndTag() => _cursor.Expect(TokenKind.BlockEnd, "'%}'");

    private TemplateStatement ParseStatement()
    {
        TemplateToken keyword = _cursor.Expect(TokenKind.Name, "a statement");
        return keyword.Text switch
        {
            "if" => ParseIf(keyword.Line),
            "for" => ParseFor(keyword.Line),
            "set" => ParseSet(keyword.Line),
            "macro" => ParseMacro(keyword.Line),
            "generation" => new TemplateStatement.Generation(keyword.Line, ParseBodyOutsideOfLoops("endgeneration")),
            "break" or "continue" when _loops > 0 => new TemplateStatement.Jump(keyword.Line, keyword.Text == "break"),
            "break" or "continue" => throw _cursor.Fault(Errors.TemplateJump(keyword.Text)),
            _ => throw _cursor.Fault(Errors.TemplateUnsupported($"the statement '{Errors.TemplateQuote(keyword.Text)}'")),
        };
    }

    private TemplateStatement.If ParseIf(int line)
    {
        var branches = new List<(TemplateExpression?, IReadOnlyList<TemplateStatement>)>();
        string keyword;
        do
        {
            TemplateExpression test = _expressions.ParseTuple(withCondition: false);
            EndTag();
            branches.Add((test, ParseUntil("elif", "else", "endif")));
            keyword = _cursor.Next().Text;
        }
        while (keyword == "elif");

        if (keyword == "else")
        {
            branches.Add((null, ParseBody("endif")));
        }

        return new TemplateStatement.If(line, branches);
    }

    private TemplateStatement.For ParseFor(int line)
    {
        AssignmentTarget target = ParseTarget(withAttributes: false);
        if (target.Places.Any(place => place.Name == "loop"))
        {
            throw _cursor.Fault(Errors.TemplateTarget("loop"));
        }

        if (!_cursor.TakeName("in"))
        {
            throw _cursor.Unexpected("'in'");
        }

        TemplateExpression items = _expressions.ParseTuple(withCondition: false);
        TemplateExpression? filter = _cursor.TakeName("if") ? _expressions.Parse() : null;
        if (_cursor.Current.IsName("recursive"))
        {
            throw _cursor.Fault(Errors.TemplateUnsupported("a recursive loop"));
        }

        EndTag();
        _loops++;
        IReadOnlyList<TemplateStatement> body = ParseUntil("else", "endfor");
        _loops--;
        IReadOnlyList<TemplateStatement> otherwise = _cursor.Next().Text == "else" ? ParseBody("endfor") : [];
        return new TemplateStatement.For(line, target, items, filter, body, otherwise);
    }

    private TemplateStatement ParseSet(int line)
    {
        AssignmentTarget target = ParseTarget(withAttributes: true);
        if (_cursor.TakeOperator("="))
        {
            return new TemplateStatement.Set(line, target, _expressions.ParseTuple());
        }

        if (_cursor.Current.IsOperator("|"))
        {
            throw _cursor.Fault(Errors.TemplateUnsupported("a filter on a block of 'set'"));
        }

        return new TemplateStatement.SetBlock(line, target, ParseBodyOutsideOfLoops("endset"));
    }

    private AssignmentTarget ParseTarget(bool withAttributes)
    {
        var places = new List<(string, string?)>();
        bool isTuple = false;
        do
        {
            if (places.Count > 0 && _cursor.Current.Kind != TokenKind.Name)
            {
                break;
            }

            string name = ParsePlace();
            places.Add((name, withAttributes && _cursor.TakeOperator(".") ? _cursor.Expect(TokenKind.Name, "an attribute").Text : null));
            isTuple |= _cursor.Current.IsOperator(",");
        }
        while (_cursor.TakeOperator(","));

        return new AssignmentTarget(places, isTuple);
    }

    private string ParsePlace()
    {
        string name = _cursor.Expect(TokenKind.Name, "a variable's name").Text;
        return name is "true" or "false" or "none" or "True" or "False" or "None" ? throw _cursor.Fault(Errors.TemplateTarget(name)) : name;
    }

    private TemplateStatement.Macro ParseMacro(int line)
    {
        string name = ParsePlace();
        var parameters = new List<(string, TemplateExpression?)>();
        _cursor.ExpectOperator("(");
        while (!_cursor.TakeOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _cursor.ExpectOperator(",");
            }

            string parameter = ParsePlace();
            TemplateExpression? otherwise = _cursor.TakeOperator("=") ? _expressions.Parse() : null;
            if (otherwise is null && parameters.Count > 0 && parameters[^1].Item2 is not null)
            {
                throw _cursor.Unexpected("a default");
            }

            parameters.Add((parameter, otherwise));
        }

        return new TemplateStatement.Macro(line, name, parameters, ParseBodyOutsideOfLoops("endmacro"));
    }

    private List<TemplateStatement> ParseBody(string end)
    {
        EndTag();
        List<TemplateStatement> body = ParseUntil(end);
        _cursor.Next();
        return body;
    }

    // What is written here goes elsewhere: no jump leads out of it.
    private List<TemplateStatement> ParseBodyOutsideOfLoops(string end)
    {
        int loops = _loops;
        _loops = 0;
        List<TemplateStatement> body = ParseBody(end);
        _loops = loops;
        return body;
    }
}
