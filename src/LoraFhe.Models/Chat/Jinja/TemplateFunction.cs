namespace LoraFhe.Models;

/// <summary>A function, a method of a value, or a macro.</summary>
/// <param name="Name">Its name, for errors.</param>
/// <param name="Call">What it does.</param>
internal sealed record TemplateFunction(string Name, Func<TemplateRun, TemplateArguments, object?> Call);
