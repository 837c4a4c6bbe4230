using System.Text.RegularExpressions;

namespace LoraFhe;

/// <summary>Regular expressions of an adapter's configuration, matched as Python's <c>re</c> is called by peft.</summary>
/// <remarks>A configuration may come from anywhere, so a match that takes longer than <see cref="Timeout"/> is given up.</remarks>
internal static class PeftPattern
{
    /// <summary>Names are short: an expression that needs longer backtracks without end.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <summary>Python's <c>re.fullmatch</c>.</summary>
    public static Regex Whole(string expression) => Compile($@"\A(?:{expression})\z", expression);

    /// <summary>The key of a rank or alpha pattern: a module's name or what follows a dot in it.</summary>
    public static Regex Key(string expression) => Compile($@"\A(?:.*\.)?(?:{expression})\z", expression);

    /// <summary>The number after a list of layers, such as the 3 of <c>model.layers.3.mlp</c>, as the group <c>index</c>.</summary>
    /// <param name="expression">The list's name; null: any.</param>
    public static Regex LayerIndex(string? expression) =>
        Compile($@"\A(?:.*\.)?(?:{expression ?? @"[^.]*"})\.(?<index>[0-9]+)\.", expression ?? "");

    /// <summary>Why the expression cannot be used, or null if it can.</summary>
    public static string? Fault(string expression)
    {
        try
        {
            _ = Whole(expression);
            return null;
        }
        catch (ArgumentException exception)
        {
            return exception.Message;
        }
    }

    /// <exception cref="ArgumentException">The match took too long.</exception>
    public static Match Match(this Regex pattern, string name, string option)
    {
        try
        {
            return pattern.Match(name);
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new ArgumentException(Errors.PatternTooSlow(option, pattern.ToString(), name), exception);
        }
    }

    private static Regex Compile(string wrapped, string expression)
    {
        // Alone first: wrapped, "a)(?:b" would be two halves of an expression that is none.
        _ = new Regex(expression, RegexOptions.CultureInvariant, Timeout);
        return new Regex(wrapped, RegexOptions.CultureInvariant, Timeout);
    }
}
