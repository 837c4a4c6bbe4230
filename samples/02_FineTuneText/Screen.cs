using System.Globalization;
using Spectre.Console;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>What the user sees: colour and a moving bar on a terminal, plain lines in a file.</summary>
internal static class Screen
{
    private const int BarWidth = 30;
    private const int TextWidth = 100;
    private static readonly bool Moves = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;

    public static void Title(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(text)}[/]");
    }

    public static void Line(string text) => Console.WriteLine(text);

    /// <summary>A generated text, wrapped and indented.</summary>
    public static void Quote(string label, string text)
    {
        AnsiConsole.MarkupLine($"  [grey]{Markup.Escape(label)}[/]");
        foreach (var line in Wrap(text.ReplaceLineEndings(" ")))
        {
            Console.WriteLine($"    {line}");
        }
    }

    /// <summary>Names and values, in two columns.</summary>
    public static void Facts(IEnumerable<(string Name, string Value)> facts)
    {
        foreach (var (name, value) in facts)
        {
            var lines = Wrap(value).ToList();
            Console.WriteLine($"  {name,-34} {lines[0]}");
            foreach (var line in lines.Skip(1))
            {
                Console.WriteLine($"  {"",-34} {line}");
            }
        }
    }

    /// <summary>Reports step <paramref name="done"/> of <paramref name="total"/>.</summary>
    public static void Progress(string what, int done, int total, string state)
    {
        if (Moves)
        {
            var filled = total == 0 ? BarWidth : BarWidth * done / total;
            Console.Write($"\r  {what} {new string('█', filled)}{new string('░', BarWidth - filled)} {done}/{total}  {state}\u001b[K");
            if (done == total)
            {
                Console.WriteLine();
            }
        }
        else if (done == total || done % Math.Max(1, total / 10) == 0)
        {
            Console.WriteLine($"  {what} {done}/{total}  {state}");
        }
    }

    /// <summary>Ends a bar that was interrupted.</summary>
    public static void BreakLine()
    {
        if (Moves)
        {
            Console.WriteLine();
        }
    }

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
    };

    private static IEnumerable<string> Wrap(string text)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > TextWidth)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
