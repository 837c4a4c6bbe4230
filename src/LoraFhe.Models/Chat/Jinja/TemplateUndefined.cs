namespace LoraFhe.Models;

/// <summary>What is not there: prints as nothing, is false and empty, and is an error anywhere else.</summary>
/// <param name="What">What was asked for, for errors.</param>
internal sealed record TemplateUndefined(string What);
