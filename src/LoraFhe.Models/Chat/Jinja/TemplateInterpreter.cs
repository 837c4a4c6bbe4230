using System.Text;

namespace LoraFhe.Models;

/// <summary>Runs the statements of a template.</summary>
internal sealed class TemplateInterpreter(TemplateRun run)
{
    private readonly ExpressionEvaluator _expressions = new(run);

    /// <summary>Runs a template.</summary>
    /// <param name="template">The statements.</param>
    /// <param name="variables">What the template is given.</param>
    /// <returns>The text.</returns>
    /// <exception cref="InvalidDataException">The template raised an error, made one, or used too much.</exception>
    public string Render(IReadOnlyList<TemplateStatement> template, IEnumerable<KeyValuePair<string, object?>> variables)
    {
        var globals = new TemplateScope(outer: null);
        foreach (TemplateFunction function in TemplateFunctions.All)
        {
            globals.Set(function.Name, function);
        }

        foreach ((string name, object? value) in variables)
        {
            globals.Set(name, value);
        }

        return Capture(template, new TemplateScope(globals));
    }

    private string Capture(IReadOnlyList<TemplateStatement> body, TemplateScope scope)
    {
        var text = new StringBuilder();
        RunAll(body, scope, text);
        return text.ToString();
    }

    private LoopJump RunAll(IReadOnlyList<TemplateStatement> statements, TemplateScope scope, StringBuilder text)
    {
        run.Enter();
        LoopJump jump = LoopJump.None;
        for (int i = 0; i < statements.Count && jump == LoopJump.None; i++)
        {
            run.Step();
            run.Line = statements[i].Line;
            jump = RunOne(statements[i], scope, text);
        }

        run.Leave();
        return jump;
    }

    private LoopJump RunOne(TemplateStatement statement, TemplateScope scope, StringBuilder text)
    {
        switch (statement)
        {
            case TemplateStatement.If choice:
                return RunIf(choice, scope, text);
            case TemplateStatement.For loop:
                return RunFor(loop, scope, text);
            case TemplateStatement.Jump jump:
                return jump.IsBreak ? LoopJump.Break : LoopJump.Continue;
            case TemplateStatement.Text data:
                text.Append(run.Spend(data.Value));
                break;
            case TemplateStatement.Output output:
                text.Append(run.Spend(TemplateText.Of(run, _expressions.Evaluate(output.Value, scope))));
                break;
            case TemplateStatement.Set set:
                Assign(set.Target, _expressions.Evaluate(set.Value, scope), scope);
                break;
            case TemplateStatement.SetBlock set:
                Assign(set.Target, Capture(set.Body, new TemplateScope(scope)), scope);
                break;
            case TemplateStatement.Macro macro:
                scope.Set(macro.Name, new TemplateFunction(macro.Name, (_, arguments) => RunMacro(macro, arguments, scope)));
                break;
            case TemplateStatement.Generation generation:
                RunAll(generation.Body, new TemplateScope(scope), text);
                break;
        }

        return LoopJump.None;
    }

    private LoopJump RunIf(TemplateStatement.If choice, TemplateScope scope, StringBuilder text)
    {
        foreach ((TemplateExpression? test, IReadOnlyList<TemplateStatement> body) in choice.Branches)
        {
            if (test is null || TemplateValue.IsTrue(_expressions.Evaluate(test, scope)))
            {
                return RunAll(body, scope, text);
            }
        }

        return LoopJump.None;
    }

    private LoopJump RunFor(TemplateStatement.For loop, TemplateScope scope, StringBuilder text)
    {
        IReadOnlyList<object?> items = Items(loop, scope);
        var state = new LoopState(items);
        bool hasCompleted = false;
        for (int i = 0; i < items.Count; i++)
        {
            run.Step();
            state.Index = i;
            var inner = new TemplateScope(scope);
            inner.Set("loop", state);
            Assign(loop.Target, items[i], inner);
            LoopJump jump = RunAll(loop.Body, inner, text);
            hasCompleted |= jump == LoopJump.None;
            if (jump == LoopJump.Break)
            {
                break;
            }
        }

        // Jinja runs "else" unless an iteration came to its end.
        return hasCompleted ? LoopJump.None : RunAll(loop.Otherwise, new TemplateScope(scope), text);
    }

    private IReadOnlyList<object?> Items(TemplateStatement.For loop, TemplateScope scope)
    {
        IReadOnlyList<object?> items = TemplateValue.Iterate(run, _expressions.Evaluate(loop.Items, scope));
        if (loop.Filter is not { } filter)
        {
            return items;
        }

        var kept = new List<object?>();
        foreach (object? item in items)
        {
            run.Step();
            var inner = new TemplateScope(scope);
            Assign(loop.Target, item, inner);
            if (TemplateValue.IsTrue(_expressions.Evaluate(filter, inner)))
            {
                kept.Add(item);
            }
        }

        return kept;
    }

    private void Assign(AssignmentTarget target, object? value, TemplateScope scope)
    {
        if (!target.IsTuple)
        {
            Assign(target.Places[0], value, scope);
            return;
        }

        IReadOnlyList<object?> parts = TemplateValue.Iterate(run, value);
        if (parts.Count != target.Places.Count)
        {
            throw run.Fault(Errors.TemplateUnpack(parts.Count, target.Places.Count));
        }

        for (int i = 0; i < parts.Count; i++)
        {
            Assign(target.Places[i], parts[i], scope);
        }
    }

    private void Assign((string Name, string? Attribute) place, object? value, TemplateScope scope)
    {
        if (place.Attribute is not { } attribute)
        {
            scope.Set(place.Name, value);
        }
        else if (scope.TryGet(place.Name, out object? found) && found is TemplateNamespace space)
        {
            space.Attributes[attribute] = value;
        }
        else
        {
            throw run.Fault(Errors.TemplateNotNamespace(place.Name));
        }
    }

    private string RunMacro(TemplateStatement.Macro macro, TemplateArguments arguments, TemplateScope around)
    {
        string[] names = [.. macro.Parameters.Select(parameter => parameter.Name)];
        object?[] values = arguments.Bind(run, required: 0, names);
        var scope = new TemplateScope(around);
        for (int i = 0; i < values.Length; i++)
        {
            (string name, TemplateExpression? otherwise) = macro.Parameters[i];
            object? value = values[i] != TemplateArguments.Missing ? values[i]
                : otherwise is null ? new TemplateUndefined(name) : _expressions.Evaluate(otherwise, scope);
            scope.Set(name, value);
        }

        return Capture(macro.Body, scope);
    }
}
