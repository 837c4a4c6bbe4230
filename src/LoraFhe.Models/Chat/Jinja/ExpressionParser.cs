namespace LoraFhe.Models;

/// <summary>Parses the expressions of a template, by Jinja's precedence.</summary>
/// <remarks>
/// From the weakest: if-else, or, and, not, comparisons and in, + and -, ~, * / // %, signs, then filters and tests. Source: Jinja's documentation,
/// "Expressions".
/// </remarks>
internal sealed class ExpressionParser(TokenCursor cursor)
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];
    private static readonly string[] Products = ["*", "/", "//", "%"];

    private readonly PrimaryParser _primary = new(cursor);
    private readonly PostfixParser _postfix = new(cursor);

    /// <summary>An expression; several with commas between are a tuple.</summary>
    /// <param name="withCondition">Whether <c>if</c> belongs to the expression; in <c>for</c> it does not.</param>
    public TemplateExpression ParseTuple(bool withCondition = true)
    {
        int line = cursor.Current.Line;
        TemplateExpression first = Parse(withCondition);
        if (!cursor.Current.IsOperator(","))
        {
            return first;
        }

        var items = new List<TemplateExpression> { first };
        while (cursor.TakeOperator(",") && !EndsTuple(cursor.Current))
        {
            items.Add(Parse(withCondition));
        }

        return new TemplateExpression.Sequence(line, items, IsTuple: true);
    }

    /// <summary>An expression without commas.</summary>
    public TemplateExpression Parse(bool withCondition = true)
    {
        cursor.Enter();
        TemplateExpression expression = withCondition ? ParseConditional() : ParseOr();
        cursor.Leave();
        return expression;
    }

    /// <summary>What an expression begins with.</summary>
    public TemplateExpression ParsePrimary() => _primary.Parse(this);

    private static bool EndsTuple(TemplateToken token) => token.Kind is TokenKind.OutputEnd or TokenKind.BlockEnd || token.IsOperator(")");

    private TemplateExpression ParseConditional()
    {
        int line = cursor.Current.Line;
        TemplateExpression value = ParseOr();
        while (cursor.TakeName("if"))
        {
            TemplateExpression test = ParseOr();
            TemplateExpression? otherwise = cursor.TakeName("else") ? Parse() : null;
            value = new TemplateExpression.Conditional(line, test, value, otherwise);
        }

        return value;
    }

    private TemplateExpression ParseOr()
    {
        TemplateExpression left = ParseAnd();
        while (cursor.Current.IsName("or"))
        {
            int line = cursor.Next().Line;
            left = new TemplateExpression.Logical(line, IsAnd: false, left, ParseAnd());
        }

        return left;
    }

    private TemplateExpression ParseAnd()
    {
        TemplateExpression left = ParseNot();
        while (cursor.Current.IsName("and"))
        {
            int line = cursor.Next().Line;
            left = new TemplateExpression.Logical(line, IsAnd: true, left, ParseNot());
        }

        return left;
    }

    private TemplateExpression ParseNot()
    {
        if (!cursor.Current.IsName("not"))
        {
            return ParseComparison();
        }

        cursor.Enter();
        int line = cursor.Next().Line;
        var not = new TemplateExpression.Not(line, ParseNot());
        cursor.Leave();
        return not;
    }

    private TemplateExpression ParseComparison()
    {
        int line = cursor.Current.Line;
        TemplateExpression first = ParseSum();
        var links = new List<(string, TemplateExpression)>();
        while (TakeComparison() is { } operation)
        {
            links.Add((operation, ParseSum()));
        }

        return links.Count == 0 ? first : new TemplateExpression.Comparison(line, first, links);
    }

    private string? TakeComparison()
    {
        if (cursor.Current.Kind == TokenKind.Operator && Comparisons.Contains(cursor.Current.Text))
        {
            return cursor.Next().Text;
        }

        if (cursor.Current.IsName("not") && cursor.Following.IsName("in"))
        {
            cursor.Next();
            cursor.Next();
            return "not in";
        }

        return cursor.TakeName("in") ? "in" : null;
    }

    private TemplateExpression ParseSum()
    {
        TemplateExpression left = ParseConcatenation();
        while (cursor.Current.IsOperator("+") || cursor.Current.IsOperator("-"))
        {
            TemplateToken operation = cursor.Next();
            left = new TemplateExpression.Arithmetic(operation.Line, left, operation.Text, ParseConcatenation());
        }

        return left;
    }

    private TemplateExpression ParseConcatenation()
    {
        int line = cursor.Current.Line;
        var parts = new List<TemplateExpression> { ParseProduct() };
        while (cursor.TakeOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return parts.Count == 1 ? parts[0] : new TemplateExpression.Concatenation(line, parts);
    }

    private TemplateExpression ParseProduct()
    {
        TemplateExpression left = ParseUnary(withFilters: true);
        while (cursor.Current.Kind == TokenKind.Operator && Products.Contains(cursor.Current.Text))
        {
            TemplateToken operation = cursor.Next();
            left = new TemplateExpression.Arithmetic(operation.Line, left, operation.Text, ParseUnary(withFilters: true));
        }

        return cursor.Current.IsOperator("**") ? throw cursor.Fault(Errors.TemplateUnsupported("the operator '**'")) : left;
    }

    // A sign binds closer than a filter: -2|abs is (-2)|abs.
    private TemplateExpression ParseUnary(bool withFilters)
    {
        cursor.Enter();
        TemplateExpression expression;
        if (cursor.Current.IsOperator("-") || cursor.Current.IsOperator("+"))
        {
            TemplateToken sign = cursor.Next();
            expression = new TemplateExpression.Sign(sign.Line, ParseUnary(withFilters: false), sign.Text == "-");
        }
        else
        {
            expression = ParsePrimary();
        }

        expression = _postfix.Parse(this, expression);
        cursor.Leave();
        return withFilters ? ParseFilters(expression) : expression;
    }

    private TemplateExpression ParseFilters(TemplateExpression target)
    {
        while (true)
        {
            int line = cursor.Current.Line;
            if (cursor.TakeOperator("|"))
            {
                string id = cursor.Expect(TokenKind.Name, "a filter's name").Text;
                target = new TemplateExpression.Filter(line, target, id, cursor.Current.IsOperator("(") ? _postfix.ParseArguments(this) : CallArguments.None);
            }
            else if (cursor.TakeName("is"))
            {
                target = ParseTest(line, target);
            }
            else if (cursor.Current.IsOperator("("))
            {
                target = new TemplateExpression.Call(line, target, _postfix.ParseArguments(this));
            }
            else
            {
                return target;
            }
        }
    }

    private TemplateExpression ParseTest(int line, TemplateExpression target)
    {
        bool isNegated = cursor.TakeName("not");
        string id = cursor.Expect(TokenKind.Name, "a test's name").Text;
        if (cursor.Current.IsName("is"))
        {
            throw cursor.Unexpected("the end of the test");
        }

        CallArguments arguments = cursor.Current.IsOperator("(") ? _postfix.ParseArguments(this)
            : BeginsTestArgument(cursor.Current) ? new CallArguments([_postfix.Parse(this, ParsePrimary())], [])
            : CallArguments.None;
        var test = new TemplateExpression.Test(line, target, id, arguments);
        return isNegated ? new TemplateExpression.Not(line, test) : test;
    }

    private static bool BeginsTestArgument(TemplateToken token) => token.Kind switch
    {
        TokenKind.Name => token.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        _ => token.IsOperator("[") || token.IsOperator("{"),
    };
}
