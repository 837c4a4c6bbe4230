using System.Globalization;
using Spectre.Console;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>What the user sees: as wide as the terminal and with its colors; plain text in a file.</summary>
internal static class Screen
{
    private const int NameWidth = 23;

    // Longer lines are hard to read, shorter ones hold no bar.
    private const int WidthInFile = 100;
    private const int LeastWidth = 60;
    private const int MostWidth = 100;

    /// <summary>True where a line can be drawn again.</summary>
    public static bool Moves { get; } = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;

    /// <summary>False where NO_COLOR is set, or the terminal has none.</summary>
    public static bool HasColors { get; } = Moves && AnsiConsole.Profile.Capabilities.ColorSystem != ColorSystem.NoColors;

    /// <summary>Columns for text.</summary>
    public static int Width => Moves ? Math.Clamp(Console.WindowWidth - 1, LeastWidth, MostWidth) : WidthInFile;

    /// <summary>Columns for the value of a fact.</summary>
    public static int ValueWidth => Width - NameWidth - 3;

    public static void Title(string text)
    {
        Console.WriteLine();
        Console.WriteLine(Moves ? $"\u001b[1m{text}\u001b[0m" : text);
    }

    public static void Line(string text = "") => Console.WriteLine(text);

    /// <summary>A line said while a bar is drawn: below it.</summary>
    public static void Interrupt(string text) => Console.WriteLine(Moves ? Environment.NewLine + text : text);

    /// <summary>A text of any length, indented.</summary>
    public static void Paragraph(string text, int indent = 2)
    {
        foreach (var line in Wrap(text, Width - indent))
        {
            Console.WriteLine(new string(' ', indent) + line);
        }
    }

    /// <summary>A generated text.</summary>
    public static void Quote(string label, string text)
    {
        Console.WriteLine($"  {label}");
        Paragraph(text.ReplaceLineEndings(" "), indent: 4);
    }

    /// <summary>Names and values, in two columns.</summary>
    public static void Facts(IEnumerable<(string Name, string Value)> facts)
    {
        foreach (var (name, value) in facts)
        {
            var label = name;
            foreach (var line in Wrap(value, ValueWidth))
            {
                Console.WriteLine($"  {label,-NameWidth} {line}");
                label = "";
            }
        }
    }

    /// <summary>A path as short as it can be typed from here.</summary>
    public static string PathOf(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
    };

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
