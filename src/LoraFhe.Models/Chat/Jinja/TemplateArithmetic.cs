namespace LoraFhe.Models;

/// <summary>The arithmetic of a template: numbers, and texts and lists that are joined or repeated, as Python has it.</summary>
internal static class TemplateArithmetic
{
    /// <summary><c>left operation right</c>.</summary>
    /// <exception cref="InvalidDataException">The operands have no such operation, the divisor is 0, or a whole number leaves 64 bits.</exception>
    public static object? Apply(TemplateRun run, string operation, object? left, object? right)
    {
        object? result = operation switch
        {
            "+" when left is string one && right is string other => Join(run, one, other),
            "+" when left is TemplateSequence one && right is TemplateSequence other => Join(run, one, other),
            "*" when TemplateValue.Integer(right) is { } count => Repeat(run, left, count),
            "*" when TemplateValue.Integer(left) is { } count => Repeat(run, right, count),
            _ => null,
        };
        return result ?? Numbers(run, operation, left, right) ?? throw run.Fault(Errors.TemplateOperands(operation, TemplateValue.TypeName(left), TemplateValue.TypeName(right)));
    }

    /// <summary>A number with a sign in front.</summary>
    /// <exception cref="InvalidDataException">The value is no number.</exception>
    public static object Sign(TemplateRun run, object? value, bool isMinus)
    {
        long factor = isMinus ? -1 : 1;
        return Numbers(run, "*", value, factor) ?? throw run.Fault(Errors.TemplateOperand(isMinus ? "-" : "+", TemplateValue.TypeName(value)));
    }

    private static string Join(TemplateRun run, string left, string right)
    {
        run.Spend(left.Length + (long)right.Length);
        return left + right;
    }

    private static TemplateSequence? Join(TemplateRun run, TemplateSequence left, TemplateSequence right)
    {
        if (left.Kind != right.Kind || left.Kind is not (SequenceKind.List or SequenceKind.Tuple))
        {
            return null;
        }

        run.Step(left.Items.Count + (long)right.Items.Count);
        return new TemplateSequence([.. left.Items, .. right.Items], left.Kind);
    }

    // Null for what cannot be repeated.
    private static object? Repeat(TemplateRun run, object? value, long count)
    {
        count = Math.Max(0, count);
        switch (value)
        {
            case string text:
                run.Spend(Product(text.Length, count));
                return string.Concat(Enumerable.Repeat(text, (int)(text.Length == 0 ? 0 : count)));
            case TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence:
                run.Step(Product(sequence.Items.Count, count));
                return new TemplateSequence([.. Enumerable.Repeat(sequence.Items, (int)(sequence.Items.Count == 0 ? 0 : count)).SelectMany(items => items)], sequence.Kind);
            default:
                return null;
        }
    }

    // No sum with it may overflow.
    private static long Product(int length, long count) => length == 0 ? 0 : count > int.MaxValue ? (long)int.MaxValue * int.MaxValue / 2 : length * count;

    private static object? Numbers(TemplateRun run, string operation, object? left, object? right)
    {
        if (TemplateValue.Number(left) is not { } one || TemplateValue.Number(right) is not { } other)
        {
            return null;
        }

        if (operation is "/" or "//" or "%" && other == 0)
        {
            throw run.Fault(Errors.TemplateDivision);
        }

        // Python divides whole numbers as such; beyond 53 bits that is not the quotient of the two as fractions.
        if (operation == "/" && (IsLong(left) || IsLong(right)))
        {
            throw run.Fault(Errors.TemplateOverflow);
        }

        bool areWhole = operation != "/" && left is not double && right is not double;
        return areWhole ? (object)Whole(run, operation, TemplateValue.Integer(left)!.Value, TemplateValue.Integer(right)!.Value) : Fractional(operation, one, other);
    }

    private static bool IsLong(object? value) => value is long and (> 1L << 53 or < -(1L << 53));

    private static long Whole(TemplateRun run, string operation, long left, long right)
    {
        try
        {
            return operation switch
            {
                "+" => checked(left + right),
                "-" => checked(left - right),
                "*" => checked(left * right),
                "//" => FloorQuotient(left, right),
                _ => right == -1 ? 0 : FloorRemainder(left, right),
            };
        }
        catch (OverflowException)
        {
            throw run.Fault(Errors.TemplateOverflow);
        }
    }

    private static long FloorQuotient(long left, long right)
    {
        long quotient = checked(right == -1 ? -left : left / right);
        return right != -1 && left % right != 0 && left < 0 != right < 0 ? quotient - 1 : quotient;
    }

    private static long FloorRemainder(long left, long right)
    {
        long remainder = left % right;
        return remainder != 0 && remainder < 0 != right < 0 ? remainder + right : remainder;
    }

    private static double Fractional(string operation, double left, double right) => operation switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => FloorQuotient(left, right),
        _ => Remainder(left, right),
    };

    // As Python does it: the quotient's own rounding must not reach the next whole number.
    private static double FloorQuotient(double left, double right)
    {
        double quotient = (left - Remainder(left, right)) / right;
        double floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double Remainder(double left, double right)
    {
        double remainder = left % right;
        return remainder != 0 && remainder < 0 != right < 0 ? remainder + right : remainder;
    }
}
