using System.Globalization;

namespace LoraFhe.Models;

/// <summary>Numbers with a fraction as Python writes and reads them.</summary>
internal static class PythonFloat
{
    /// <summary>The shortest text that reads back as the number: <c>1.0</c>, <c>1e-05</c>, <c>inf</c>.</summary>
    public static string Write(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        // .NET's shortest digits are Python's; only where an exponent is written differs.
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int exponent = value == 0 ? 0 : ExponentOf(shortest);
        string digits = Digits(shortest);
        return (double.IsNegative(value) ? "-" : "") + (exponent is >= -4 and < 16 ? Fixed(digits, exponent) : Scientific(digits, exponent));
    }

    /// <summary>Reads a number as Python's <c>float</c> does; null if the text is none.</summary>
    public static double? Read(string text)
    {
        string trimmed = text.Trim();
        string word = trimmed.TrimStart('+', '-').ToLowerInvariant();
        if (word is "inf" or "infinity" or "nan" && trimmed.Length - word.Length <= 1)
        {
            return word == "nan" ? double.NaN : trimmed[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }

        bool isNumber = double.TryParse(
            trimmed, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value);
        return isNumber && word.Length > 0 && (char.IsAsciiDigit(word[0]) || word[0] == '.') ? value : null;
    }

    private static int ExponentOf(string shortest)
    {
        int mark = shortest.IndexOf('E', StringComparison.Ordinal);
        if (mark >= 0)
        {
            return int.Parse(shortest.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        int firstDigit = shortest.AsSpan().IndexOfAnyInRange('1', '9');
        int point = shortest.IndexOf('.', StringComparison.Ordinal) is >= 0 and int found ? found : shortest.Length;
        return firstDigit < point ? point - firstDigit - 1 : point - firstDigit;
    }

    private static string Digits(string shortest)
    {
        string mantissa = shortest.Split('E')[0].Replace(".", "", StringComparison.Ordinal).Trim('0');
        return mantissa.Length == 0 ? "0" : mantissa;
    }

    private static string Fixed(string digits, int exponent)
    {
        if (exponent < 0)
        {
            return "0." + new string('0', -exponent - 1) + digits;
        }

        string whole = digits.PadRight(exponent + 1, '0');
        string fraction = whole[(exponent + 1)..];
        return whole[..(exponent + 1)] + "." + (fraction.Length == 0 ? "0" : fraction);
    }

    private static string Scientific(string digits, int exponent)
    {
        string fraction = digits.Length == 1 ? "" : "." + digits[1..];
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }
}
