using System.Globalization;
using System.Text;

namespace LoraFhe.Models;

/// <summary>Values as Python prints them.</summary>
internal static class TemplateText
{
    /// <summary>What <c>str</c> gives: a string as it is, anything else as it would be written in a program.</summary>
    /// <exception cref="InvalidDataException">The value's text is not known here: functions, iterators, namespaces.</exception>
    public static string Of(TemplateRun run, object? value)
    {
        switch (value)
        {
            case string text:
                return text;
            case TemplateUndefined:
                return "";
            default:
                var written = new StringBuilder();
                Write(run, value, written);
                return run.Spend(written.ToString());
        }
    }

    private static void Write(TemplateRun run, object? value, StringBuilder text)
    {
        run.Step();
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool flag:
                text.Append(flag ? "True" : "False");
                break;
            case long number:
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                text.Append(PythonFloat.Write(number));
                break;
            case string part:
                run.Spend(part.Length);
                WriteQuoted(part, text);
                break;
            case TemplateUndefined:
                text.Append("Undefined");
                break;
            case TemplateSequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence:
                WriteSequence(run, sequence, text);
                break;
            case TemplateDictionary dictionary:
                WriteDictionary(run, dictionary, text);
                break;
            default:
                throw run.Fault(Errors.TemplateUnprintable(TemplateValue.TypeName(value)));
        }
    }

    private static void WriteSequence(TemplateRun run, TemplateSequence sequence, StringBuilder text)
    {
        bool isList = sequence.Kind == SequenceKind.List;
        run.Enter();
        text.Append(isList ? '[' : '(');
        for (int i = 0; i < sequence.Items.Count; i++)
        {
            text.Append(i > 0 ? ", " : "");
            Write(run, sequence.Items[i], text);
        }

        text.Append(!isList && sequence.Items.Count == 1 ? "," : "").Append(isList ? ']' : ')');
        run.Leave();
    }

    private static void WriteDictionary(TemplateRun run, TemplateDictionary dictionary, StringBuilder text)
    {
        run.Enter();
        text.Append('{');
        string separator = "";
        foreach ((string key, object? value) in dictionary.Entries)
        {
            text.Append(separator);
            Write(run, key, text);
            text.Append(": ");
            Write(run, value, text);
            separator = ", ";
        }

        text.Append('}');
        run.Leave();
    }

    private static void WriteQuoted(string value, StringBuilder text)
    {
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        for (int i = 0; i < value.Length; i++)
        {
            int code = i + 1 < value.Length && char.IsSurrogatePair(value[i], value[i + 1]) ? char.ConvertToUtf32(value, i++) : value[i];
            text.Append(Escape(code, quote));
        }

        text.Append(quote);
    }

    private static string Escape(int code, char quote) => code switch
    {
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ when code == quote => "\\" + quote,
        _ when IsPrintable(code) => char.ConvertFromUtf32(code),
        < 0x100 => string.Create(CultureInfo.InvariantCulture, $"\\x{code:x2}"),
        < 0x10000 => string.Create(CultureInfo.InvariantCulture, $"\\u{code:x4}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\U{code:x8}"),
    };

    private static bool IsPrintable(int code) => code == ' ' || CharUnicodeInfo.GetUnicodeCategory(code) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
