using System.Globalization;
using System.Text;

namespace LoraFhe.Models;

/// <summary>A time as <c>strftime</c> writes it in the C locale.</summary>
internal static class TimeFormat
{
    /// <summary>Writes a time.</summary>
    /// <exception cref="InvalidDataException">The format has a directive that is not supported.</exception>
    public static string Write(TemplateRun run, string format, DateTimeOffset time)
    {
        run.Spend(4L * format.Length);
        var text = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }

            // glibc: "-" leaves the zeros in front away.
            bool isBare = i + 1 < format.Length && format[i + 1] == '-';
            i += isBare ? 2 : 1;
            string part = (i < format.Length ? Directive(format[i], time) : null)
                ?? throw run.Fault(Errors.TemplateUnsupported($"the time format '{Errors.TemplateQuote(format)}'"));
            text.Append(isBare && part.Length > 1 && char.IsAsciiDigit(part[0]) ? part[..^1].TrimStart('0') + part[^1] : part);
        }

        return text.ToString();
    }

    private static string? Directive(char name, DateTimeOffset time) => name switch
    {
        'a' => Net(time, "ddd"),
        'A' => Net(time, "dddd"),
        'b' or 'h' => Net(time, "MMM"),
        'B' => Net(time, "MMMM"),
        'd' => Net(time, "dd"),
        'D' => Net(time, "MM'/'dd'/'yy"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'F' => Net(time, "yyyy'-'MM'-'dd"),
        'H' => Net(time, "HH"),
        'I' => Net(time, "hh"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'm' => Net(time, "MM"),
        'M' => Net(time, "mm"),
        'p' => Net(time, "tt"),
        'S' => Net(time, "ss"),
        'T' => Net(time, "HH':'mm':'ss"),
        'y' => Net(time, "yy"),
        'Y' => Net(time, "yyyy"),
        '%' => "%",
        _ => null,
    };

    private static string Net(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
