using System.Globalization;
using System.Text;

namespace LoraFhe.Models;

/// <summary>The filter <c>tojson</c> as transformers sets it: Python's <c>json.dumps</c>, which escapes neither HTML nor, unless told, what is not ASCII.</summary>
/// <param name="run">The rendering.</param>
/// <param name="isAscii">Whether characters outside of ASCII are escaped.</param>
/// <param name="indent">Spaces a level, each element on a line of its own; null for one line.</param>
/// <param name="sortsKeys">Whether keys are sorted.</param>
internal sealed class TemplateJson(TemplateRun run, bool isAscii, int? indent, bool sortsKeys)
{
    private readonly StringBuilder _text = new();

    /// <summary>The value's JSON.</summary>
    /// <exception cref="InvalidDataException">JSON has no such value.</exception>
    public string Write(object? value)
    {
        Write(value, level: 0);
        return run.Spend(_text.ToString());
    }

    private void Write(object? value, int level)
    {
        run.Step();
        switch (value)
        {
            case null:
                _text.Append("null");
                break;
            case bool flag:
                _text.Append(flag ? "true" : "false");
                break;
            case long number:
                _text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                _text.Append(double.IsNaN(number) ? "NaN" : double.IsInfinity(number) ? (number > 0 ? "Infinity" : "-Infinity") : PythonFloat.Write(number));
                break;
            case string text:
                WriteString(text);
                break;
            case TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence:
                WriteAll(sequence.Items, '[', ']', level, item => Write(item, level + 1));
                break;
            case TemplateDictionary dictionary:
                WriteEntries(dictionary, level);
                break;
            default:
                throw run.Fault(Errors.TemplateNotJson(TemplateValue.TypeName(value)));
        }
    }

    private void WriteEntries(TemplateDictionary dictionary, int level)
    {
        IEnumerable<KeyValuePair<string, object?>> entries = dictionary.Entries;
        if (sortsKeys)
        {
            run.Step(dictionary.Entries.Count);
            entries = entries.OrderBy(entry => entry.Key, Comparer<string>.Create(PythonString.Compare));
        }

        WriteAll([.. entries], '{', '}', level, entry =>
        {
            WriteString(entry.Key);
            _text.Append(": ");
            Write(entry.Value, level + 1);
        });
    }

    private void WriteAll<T>(IReadOnlyList<T> items, char open, char close, int level, Action<T> write)
    {
        run.Enter();
        _text.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            _text.Append(i == 0 ? "" : indent is null ? ", " : ",");
            BreakLine(level + 1);
            write(items[i]);
        }

        if (items.Count > 0)
        {
            BreakLine(level);
        }

        _text.Append(close);
        run.Leave();
    }

    private void BreakLine(int level)
    {
        if (indent is { } width)
        {
            run.Spend(1 + ((long)width * level));
            _text.Append('\n').Append(' ', width * level);
        }
    }

    private void WriteString(string text)
    {
        run.Spend(text.Length);
        _text.Append('"');
        foreach (char unit in text)
        {
            _text.Append(unit switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ when unit < ' ' || (isAscii && unit > '~') => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}"),
                _ => unit.ToString(),
            });
        }

        _text.Append('"');
    }
}
