namespace LoraFhe.Models;

/// <summary>Parses what follows an expression's beginning: attributes, elements, slices and calls.</summary>
internal sealed class PostfixParser(TokenCursor cursor)
{
    /// <summary>The expression with all that follows it.</summary>
    public TemplateExpression Parse(ExpressionParser expressions, TemplateExpression target)
    {
        while (true)
        {
            int line = cursor.Current.Line;
            if (cursor.Current.IsOperator("("))
            {
                target = new TemplateExpression.Call(line, target, ParseArguments(expressions));
            }
            else if (cursor.TakeOperator("."))
            {
                target = cursor.Current.Kind == TokenKind.Integer
                    ? new TemplateExpression.Item(line, target, expressions.ParsePrimary())
                    : new TemplateExpression.Attribute(line, target, cursor.Expect(TokenKind.Name, "a name").Text);
            }
            else if (cursor.TakeOperator("["))
            {
                target = ParseSubscript(expressions, line, target);
            }
            else
            {
                return target;
            }
        }
    }

    /// <summary>The arguments of a call, brackets included.</summary>
    public CallArguments ParseArguments(ExpressionParser expressions)
    {
        cursor.ExpectOperator("(");
        var positional = new List<TemplateExpression>();
        var named = new List<(string, TemplateExpression)>();
        while (!cursor.TakeOperator(")"))
        {
            if (cursor.Current.IsOperator("*") || cursor.Current.IsOperator("**"))
            {
                throw cursor.Fault(Errors.TemplateUnsupported("an argument list that is unpacked"));
            }

            if (cursor.Current.Kind == TokenKind.Name && cursor.Following.IsOperator("="))
            {
                string name = cursor.Next().Text;
                cursor.Next();
                named.Add((name, expressions.Parse()));
            }
            else if (named.Count == 0)
            {
                positional.Add(expressions.Parse());
            }
            else
            {
                throw cursor.Unexpected("a named argument");
            }

            if (!cursor.Current.IsOperator(")"))
            {
                cursor.ExpectOperator(",");
            }
        }

        return new CallArguments(positional, named);
    }

    private TemplateExpression ParseSubscript(ExpressionParser expressions, int line, TemplateExpression target)
    {
        TemplateExpression? start = cursor.Current.IsOperator(":") ? null : expressions.Parse();
        if (start is not null && cursor.TakeOperator("]"))
        {
            return new TemplateExpression.Item(line, target, start);
        }

        cursor.ExpectOperator(":");
        TemplateExpression? stop = cursor.Current.IsOperator(":") || cursor.Current.IsOperator("]") ? null : expressions.Parse();
        TemplateExpression? step = cursor.TakeOperator(":") && !cursor.Current.IsOperator("]") ? expressions.Parse() : null;
        cursor.ExpectOperator("]");
        return new TemplateExpression.Slice(line, target, start, stop, step);
    }
}
