namespace LoraFhe.Models;

/// <summary>Evaluates expressions.</summary>
internal sealed class ExpressionEvaluator(TemplateRun run)
{
    /// <summary>An expression's value.</summary>
    /// <exception cref="InvalidDataException">It has none.</exception>
    public object? Evaluate(TemplateExpression expression, TemplateScope scope)
    {
        int line = run.Line;
        run.Line = expression.Line;
        run.Step();
        run.Enter();
        object? value = expression switch
        {
            TemplateExpression.Literal literal => literal.Value,
            TemplateExpression.Name name => Variable(name.Id, scope),
            TemplateExpression.Sequence sequence => new TemplateSequence(All(sequence.Items, scope), sequence.IsTuple ? SequenceKind.Tuple : SequenceKind.List),
            TemplateExpression.Dictionary dictionary => Dictionary(dictionary, scope),
            TemplateExpression.Attribute attribute => TemplateAccess.Attribute(run, Evaluate(attribute.Target, scope), attribute.Id),
            TemplateExpression.Item item => TemplateAccess.Item(run, Evaluate(item.Target, scope), Evaluate(item.Index, scope)),
            TemplateExpression.Slice slice => Slice(slice, scope),
            TemplateExpression.Call call => Call(call, scope),
            TemplateExpression.Filter filter => TemplateFilters.Apply(run, Evaluate(filter.Target, scope), Arguments(filter.Id, filter.Arguments, scope)),
            TemplateExpression.Test test => TemplateTests.Holds(run, Evaluate(test.Target, scope), Arguments(test.Id, test.Arguments, scope)),
            TemplateExpression.Not not => !TemplateValue.IsTrue(Evaluate(not.Operand, scope)),
            TemplateExpression.Sign sign => TemplateArithmetic.Sign(run, Evaluate(sign.Operand, scope), sign.IsMinus),
            TemplateExpression.Arithmetic sum => TemplateArithmetic.Apply(run, sum.Operation, Evaluate(sum.Left, scope), Evaluate(sum.Right, scope)),
            TemplateExpression.Concatenation concatenation => Concatenate(concatenation, scope),
            TemplateExpression.Comparison comparison => Compare(comparison, scope),
            TemplateExpression.Logical logical => Logical(logical, scope),
            TemplateExpression.Conditional conditional => Conditional(conditional, scope),
            _ => throw new InvalidOperationException(expression.GetType().Name),
        };
        run.Leave();
        run.Line = line;
        return value;
    }

    private static object? VariableOr(string name, TemplateScope scope, object? otherwise) => scope.TryGet(name, out object? value) ? value : otherwise;

    private object? Variable(string name, TemplateScope scope)
    {
        object? value = VariableOr(name, scope, TemplateArguments.Missing);
        return value != TemplateArguments.Missing ? value
            : TemplateFunctions.Unsupported.Contains(name) ? throw run.Fault(Errors.TemplateUnsupported($"'{name}'"))
            : new TemplateUndefined(name);
    }

    private object?[] All(IReadOnlyList<TemplateExpression> expressions, TemplateScope scope) => [.. expressions.Select(expression => Evaluate(expression, scope))];

    private TemplateDictionary Dictionary(TemplateExpression.Dictionary expression, TemplateScope scope)
    {
        var dictionary = new TemplateDictionary();
        foreach ((TemplateExpression key, TemplateExpression value) in expression.Entries)
        {
            object? name = Evaluate(key, scope);
            dictionary[name as string ?? throw run.Fault(Errors.TemplateUnsupported($"a dictionary's key that is {TemplateValue.TypeName(name)}"))] = Evaluate(value, scope);
        }

        return dictionary;
    }

    private object? Slice(TemplateExpression.Slice slice, TemplateScope scope)
    {
        object? target = Evaluate(slice.Target, scope);
        long step = Bound(slice.Step, scope) ?? 1;
        return step != 0
            ? TemplateAccess.Slice(run, target, new PythonSlice(Bound(slice.Start, scope), Bound(slice.Stop, scope), step))
            : throw run.Fault(Errors.TemplateSliceStep);
    }

    private long? Bound(TemplateExpression? expression, TemplateScope scope)
    {
        object? value = expression is null ? null : Evaluate(expression, scope);
        return value is null ? null : TemplateValue.Integer(value) ?? throw run.Fault(Errors.TemplateArgumentType("a slice", "a whole number", TemplateValue.TypeName(value)));
    }

    private object? Call(TemplateExpression.Call call, TemplateScope scope)
    {
        object? target = Evaluate(call.Target, scope);
        return target is TemplateFunction function
            ? function.Call(run, Arguments(function.Name, call.Arguments, scope))
            : throw run.Fault(Errors.TemplateNotCallable(TemplateValue.TypeName(target)));
    }

    private TemplateArguments Arguments(string owner, CallArguments arguments, TemplateScope scope) =>
        ReferenceEquals(arguments, CallArguments.None)
            ? new TemplateArguments(owner, [], [])
            : new TemplateArguments(owner, All(arguments.Positional, scope), [.. arguments.Named.Select(named => (named.Name, Evaluate(named.Value, scope)))]);

    private string Concatenate(TemplateExpression.Concatenation concatenation, TemplateScope scope)
    {
        string[] parts = [.. concatenation.Parts.Select(part => TemplateText.Of(run, Evaluate(part, scope)))];
        return StringMethods.Join(run, "", parts);
    }

    private bool Compare(TemplateExpression.Comparison comparison, TemplateScope scope)
    {
        object? left = Evaluate(comparison.First, scope);
        foreach ((string operation, TemplateExpression operand) in comparison.Links)
        {
            object? right = Evaluate(operand, scope);
            if (!TemplateComparison.Holds(run, operation, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private object? Logical(TemplateExpression.Logical logical, TemplateScope scope)
    {
        object? left = Evaluate(logical.Left, scope);
        return TemplateValue.IsTrue(left) == logical.IsAnd ? Evaluate(logical.Right, scope) : left;
    }

    private object? Conditional(TemplateExpression.Conditional conditional, TemplateScope scope)
    {
        if (TemplateValue.IsTrue(Evaluate(conditional.Condition, scope)))
        {
            return Evaluate(conditional.Value, scope);
        }

        return conditional.Otherwise is { } otherwise ? Evaluate(otherwise, scope) : new TemplateUndefined("an if-expression without else");
    }
}
