using System.Buffers;
using System.Text;

namespace LoraFhe.Models;

/// <summary>What is done to a text before it is cut into pieces: one step after another.</summary>
internal sealed class TextNormalizer
{
    // string.Normalize takes this noncharacter for a sign of the wrong byte order and refuses the text.
    private const char Reversed = '\uFFFE';

    private static readonly SearchValues<char> Composed = SearchValues.Create([.. Enumerable.Range(0, 0x300).Concat(Enumerable.Range(0x2010, 0x18)).Select(c => (char)c)]);

    private readonly List<Func<string, string>> _steps = [];
    private double _growth = 1;

    private TextNormalizer()
    {
    }

    /// <summary>Changes nothing.</summary>
    public static TextNormalizer None { get; } = new();

    /// <summary>Whether no text is changed.</summary>
    public bool IsIdentity => _steps.Count == 0;

    /// <summary>Reads the <c>normalizer</c> of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The value; null changes nothing.</param>
    /// <exception cref="InvalidDataException">A step is not supported; the text names it.</exception>
    public static TextNormalizer Read(NamedJson json)
    {
        var normalizer = new TextNormalizer();
        if (!json.IsNull)
        {
            normalizer.Add(json);
        }

        return normalizer;
    }

    /// <summary>Normalizes a text.</summary>
    /// <param name="text">The text, without half surrogate pairs.</param>
    /// <exception cref="PlatformNotSupportedException">NFC is asked for, the text has characters that it may change, and .NET runs without ICU.</exception>
    public string Normalize(string text) => _steps.Aggregate(text, (current, step) => step(current));

    // In globalization-invariant mode string.Normalize hands a text back as it is.
    private static bool CanCompose => "e\u0301".Normalize(NormalizationForm.FormC) == "\u00E9";

    private void Add(NamedJson step)
    {
        NamedJson type = step["type"];
        switch (type.Text)
        {
            case "Sequence":
                step.RequireKnown("type", "normalizers");
                foreach (NamedJson inner in step["normalizers"].Items)
                {
                    Add(inner);
                }

                break;
            case "NFC":
                step.RequireKnown("type");
                _steps.Add(Compose);
                break;
            case "Replace":
                (string pattern, string content) = step.Replacement(ref _growth);
                _steps.Add(text => text.Replace(pattern, content, StringComparison.Ordinal));
                break;
            case "Prepend":
                step.RequireKnown("type", "prepend");
                string prefix = step["prepend"].Text;
                _steps.Add(text => text.Length > 0 ? prefix + text : text);
                break;
            default:
                throw type.Unsupported("'Sequence', 'NFC', 'Replace' and 'Prepend' are");
        }
    }

    private static string Compose(string text) => IsComposed(text) ? text
        : !CanCompose ? throw new PlatformNotSupportedException(Errors.CannotCompose())
        : string.Join(Reversed, text.Split(Reversed).Select(part => part.Normalize(NormalizationForm.FormC)));

    // Below U+0300 nothing combines and nothing is composed (UAX #15); dashes, quotes and the ellipsis neither. So most texts need no ICU.
    private static bool IsComposed(string text) => !text.AsSpan().ContainsAnyExcept(Composed);
}
