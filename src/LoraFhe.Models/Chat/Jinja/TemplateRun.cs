using System.Runtime.CompilerServices;

namespace LoraFhe.Models;

/// <summary>One rendering of a template: where it is, and what it may still use. A template is a stranger's file, and may neither hang nor end the process.</summary>
/// <param name="file">The template's file, for errors.</param>
/// <param name="clock">What the template's clock shows.</param>
/// <param name="messages">How many messages there are: what a template may use grows with what it is given.</param>
/// <param name="inputLength">Characters of the messages.</param>
internal sealed class TemplateRun(string file, TimeProvider clock, long messages, long inputLength)
{
    /// <summary>Expressions that may be evaluated and elements that may be visited for no message at all.</summary>
    public const long BaseSteps = 1_000_000;

    /// <summary>How deep expressions, blocks, macros and values may nest.</summary>
    public const int MaxDepth = 200;

    /// <summary>Characters that may be made, read or written for messages without content.</summary>
    public const long BaseCharacters = 16L << 20;

    private const long StepsPerMessage = 2_000;
    private const long CharactersPerInput = 256;

    private readonly long _maxSteps = BaseSteps + (StepsPerMessage * messages);
    private readonly long _maxCharacters = BaseCharacters + (CharactersPerInput * inputLength);
    private long _steps;
    private long _characters;
    private int _depth;

    /// <summary>The line of the expression or statement being run.</summary>
    public int Line { get; set; } = 1;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Counts steps.</summary>
    /// <exception cref="InvalidDataException">There were too many.</exception>
    public void Step(long count = 1)
    {
        _steps += count;
        if (_steps > _maxSteps)
        {
            throw Fault(Errors.TemplateTooManySteps(_maxSteps));
        }
    }

    /// <summary>Counts characters that are made, read or written.</summary>
    /// <exception cref="InvalidDataException">There were too many.</exception>
    public void Spend(long characters)
    {
        _characters += characters;
        if (_characters > _maxCharacters)
        {
            throw Fault(Errors.TemplateTooMuchText(_maxCharacters));
        }
    }

    /// <summary>Counts the characters of a text that is made, and gives it back.</summary>
    public string Spend(string text)
    {
        Spend(text.Length);
        return text;
    }

    /// <summary>Counts what it takes at worst to look for a text in another.</summary>
    public void SpendSearch(string text, string sought) => Spend(text.Length + ((long)text.Length * sought.Length / 32));

    /// <summary>Goes one level into what nests.</summary>
    /// <exception cref="InvalidDataException">It is one too many.</exception>
    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Fault(Errors.TemplateTooDeep(MaxDepth));
        }
    }

    /// <summary>Comes back from a level.</summary>
    public void Leave() => _depth--;

    /// <summary>The error of what the template does on the current line.</summary>
    public InvalidDataException Fault(string what) => new(Errors.Template(file, Line, what));
}
