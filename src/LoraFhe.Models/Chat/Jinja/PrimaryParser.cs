using System.Globalization;

namespace LoraFhe.Models;

/// <summary>Parses what an expression begins with: names, literals and brackets.</summary>
internal sealed class PrimaryParser(TokenCursor cursor)
{
    /// <summary>A name, a literal, a list, a dictionary, or an expression or tuple in brackets.</summary>
    public TemplateExpression Parse(ExpressionParser expressions)
    {
        TemplateToken token = cursor.Current;
        return token.Kind switch
        {
            TokenKind.Name => ParseName(cursor.Next()),
            TokenKind.String => ParseString(token.Line),
            TokenKind.Integer => ParseInteger(cursor.Next()),
            TokenKind.Float => new TemplateExpression.Literal(token.Line, double.Parse(cursor.Next().Text, NumberStyles.Float, CultureInfo.InvariantCulture)),
            _ when cursor.TakeOperator("(") => ParseBrackets(token.Line, expressions),
            _ when cursor.TakeOperator("[") => ParseList(token.Line, expressions),
            _ when cursor.TakeOperator("{") => ParseDictionary(token.Line, expressions),
            _ => throw cursor.Unexpected("an expression"),
        };
    }

    private static TemplateExpression ParseName(TemplateToken token) => token.Text switch
    {
        "true" or "True" => new TemplateExpression.Literal(token.Line, true),
        "false" or "False" => new TemplateExpression.Literal(token.Line, false),
        "none" or "None" => new TemplateExpression.Literal(token.Line, null),
        _ => new TemplateExpression.Name(token.Line, token.Text),
    };

    private TemplateExpression.Literal ParseString(int line)
    {
        var parts = new List<string>();
        while (cursor.Current.Kind == TokenKind.String)
        {
            parts.Add(cursor.Next().Text);
        }

        return new TemplateExpression.Literal(line, string.Concat(parts));
    }

    private TemplateExpression.Literal ParseInteger(TemplateToken token)
    {
        // Python has no whole number with zeros in front.
        bool isNumber = long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && (value == 0 || token.Text[0] != '0');
        return isNumber ? new TemplateExpression.Literal(token.Line, value) : throw cursor.Fault(Errors.TemplateNumber(token.Text));
    }

    private TemplateExpression ParseBrackets(int line, ExpressionParser expressions)
    {
        if (cursor.TakeOperator(")"))
        {
            return new TemplateExpression.Sequence(line, [], IsTuple: true);
        }

        TemplateExpression inner = expressions.ParseTuple();
        cursor.ExpectOperator(")");
        return inner;
    }

    private TemplateExpression.Sequence ParseList(int line, ExpressionParser expressions)
    {
        var items = new List<TemplateExpression>();
        while (!cursor.TakeOperator("]"))
        {
            items.Add(expressions.Parse());
            if (!cursor.Current.IsOperator("]"))
            {
                cursor.ExpectOperator(",");
            }
        }

        return new TemplateExpression.Sequence(line, items, IsTuple: false);
    }

    private TemplateExpression.Dictionary ParseDictionary(int line, ExpressionParser expressions)
    {
        var entries = new List<(TemplateExpression, TemplateExpression)>();
        while (!cursor.TakeOperator("}"))
        {
            TemplateExpression key = expressions.Parse();
            cursor.ExpectOperator(":");
            entries.Add((key, expressions.Parse()));
            if (!cursor.Current.IsOperator("}"))
            {
                cursor.ExpectOperator(",");
            }
        }

        return new TemplateExpression.Dictionary(line, entries);
    }
}
