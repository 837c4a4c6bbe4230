namespace LoraFhe.Models;

/// <summary>The values that a function, a filter or a test is called with.</summary>
/// <param name="Owner">What is called, for errors.</param>
/// <param name="Positional">Those without a name.</param>
/// <param name="Named">Those with one.</param>
internal sealed record TemplateArguments(string Owner, IReadOnlyList<object?> Positional, IReadOnlyList<(string Name, object? Value)> Named)
{
    /// <summary>Stands for an argument that was not given.</summary>
    public static object Missing { get; } = new();

    /// <summary>Puts the arguments in the order of the parameters.</summary>
    /// <param name="run">The rendering.</param>
    /// <param name="required">How many of the parameters must be given.</param>
    /// <param name="parameters">The parameters' names.</param>
    /// <returns>A value a parameter; <see cref="Missing"/> where none was given.</returns>
    /// <exception cref="InvalidDataException">An argument is missing, is one too many, has an unknown name, or comes twice.</exception>
    public object?[] Bind(TemplateRun run, int required, params ReadOnlySpan<string> parameters)
    {
        if (Positional.Count > parameters.Length)
        {
            throw run.Fault(Errors.TemplateArgumentCount(Owner, Positional.Count, parameters.Length));
        }

        run.Step(Positional.Count + ((long)Named.Count * parameters.Length));
        object?[] values = new object?[parameters.Length];
        Array.Fill(values, Missing);
        for (int i = 0; i < Positional.Count; i++)
        {
            values[i] = Positional[i];
        }

        foreach ((string name, object? value) in Named)
        {
            int index = parameters.IndexOf(name);
            values[index] = index >= 0 && values[index] == Missing ? value : throw run.Fault(Errors.TemplateArgument(Owner, name));
        }

        int missing = Array.IndexOf(values, Missing, 0, required);
        return missing < 0 ? values : throw run.Fault(Errors.TemplateArgumentMissing(Owner, parameters[missing]));
    }

    /// <summary>The arguments after the first few, for a filter or test that is named by an argument.</summary>
    public TemplateArguments Skip(int count, string owner) => new(owner, [.. Positional.Skip(count)], Named);
}
