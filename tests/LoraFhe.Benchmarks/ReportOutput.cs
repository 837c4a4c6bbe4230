using System.Text;
using LoraFhe.Samples.FineTuneText;
using LoraFhe.Tools.Pages;

namespace LoraFhe.Benchmarks;

/// <summary>Where a report goes besides the console.</summary>
/// <param name="Json">A file; null: none.</param>
/// <param name="Docs">The folder whose <c>performance.md</c> gets the tables, and whose <c>images</c> the plots; null: none.</param>
internal sealed record ReportOutput(string? Json, string? Docs)
{
    private const string Page = "performance.md";

    /// <summary>Takes <c>--json FILE</c> and <c>--docs FOLDER</c> out of arguments; after a wrong one, writes a line that names it and returns null.</summary>
    public static (ReportOutput Output, IReadOnlyList<string> Others)? Parse(IReadOnlyList<string> arguments, TextWriter error)
    {
        var output = new ReportOutput(null, null);
        var others = new List<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name is not ("--json" or "--docs"))
            {
                others.Add(name);
                continue;
            }

            var value = ++i < arguments.Count ? arguments[i] : "";
            if (value.Length == 0 || !(name == "--json" ? CanHold(value) : File.Exists(Path.Combine(value, Page))))
            {
                error.WriteLine($"'{name} {value}' was not understood. Expected --json FILE in a folder that exists, or --docs FOLDER, this repository's docs.");
                return null;
            }

            output = name == "--json" ? output with { Json = Path.GetFullPath(value) } : output with { Docs = Path.GetFullPath(value) };
        }

        return (output, others);
    }

    /// <summary>Runs a command that writes tables, and puts them where they are wanted.</summary>
    public void Write(Func<TextWriter, IReport> run, TextWriter console)
    {
        using var tables = new RecordingWriter(console);
        var report = run(tables);
        if (Json is not null)
        {
            WholeFile.Write(Json, report.ToJson());
            console.WriteLine($"Written: {Json}");
        }

        if (Docs is null)
        {
            return;
        }

        MarkedPage.Replace(Path.Combine(Docs, Page), report.Part, tables.Text);
        foreach (var (name, svg) in report.Images)
        {
            Directory.CreateDirectory(Path.Combine(Docs, "images"));
            WholeFile.Write(Path.Combine(Docs, "images", name), svg);
        }

        console.WriteLine($"Written: the part '{report.Part}' of {Path.Combine(Docs, Page)}");
    }

    // Asked before minutes are spent on measuring what could not be written.
    private static bool CanHold(string file) => !Directory.Exists(file) && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file)));

    /// <summary>Passes on what is written, and keeps it.</summary>
    private sealed class RecordingWriter(TextWriter console) : TextWriter
    {
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => console.Encoding;

        public string Text => _text.ToString().TrimEnd() + "\n";

        public override void Write(char value)
        {
            console.Write(value);
            _text.Append(value);
        }

        public override void Write(string? value)
        {
            console.Write(value);
            _text.Append(value);
        }

        public override void WriteLine(string? value) => Write(value + "\n");
    }
}
