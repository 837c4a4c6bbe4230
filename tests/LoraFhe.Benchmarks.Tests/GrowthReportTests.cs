using System.Text.Json;
using System.Xml.Linq;

namespace LoraFhe.Benchmarks.Tests;

public sealed class GrowthReportTests
{
    private readonly GrowthReport _report = MadeUpReport.Create();

    [Fact]
    public void Its_json_is_read_back_as_it_was()
    {
        var again = JsonSerializer.Deserialize(_report.ToJson(), GrowthJson.Default.GrowthReport)!;

        Assert.Equal(_report.ByTokens, again.ByTokens);
        Assert.Equal(_report.ByWidth, again.ByWidth);
        Assert.Equal(_report.ByLayers, again.ByLayers);
        Assert.Equal(_report.Predictions, again.Predictions);
        Assert.Equal((_report.Cpu, _report.Kernel, _report.Constants, _report.Check), (again.Cpu, again.Kernel, again.Constants, again.Check));
    }

    [Fact]
    public void Its_plot_is_xml_with_a_line_for_each_curve_that_is_straight_where_time_is_linear()
    {
        var svg = XDocument.Parse(_report.Images["growth.svg"]);
        var lines = svg.Descendants().Where(element => element.Name.LocalName == "polyline").Select(Points).ToList();

        Assert.Equal([4, 4, 4, 4, 3, 3, 3, 3, 5, 5], lines.Select(line => line.Count));
        foreach (var (x, y) in lines[0].Concat(lines[1]).Concat(lines[4]))
        {
            Assert.InRange(x, 0, 860);
            Assert.InRange(y, 0, 920);
        }

        AssertStraight(lines[0]);
        AssertStraight(lines[4]);
        AssertStraight(lines[8]);
        Assert.Contains("layers of a model", svg.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_tables_show_powers_and_the_prediction_beside_what_was_measured()
    {
        using var text = new StringWriter();
        GrowthTables.Write(_report, text);

        Assert.Contains("| power of n, from 256 on | 1.00 | 1.00 | 1.00 | 1.00 |", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("| power of d, from 256 on | 2.00 | 2.00 | 1.00 | 1.00 |", text.ToString(), StringComparison.Ordinal);
        var rows = text.ToString().Split('\n');
        var measured = Array.FindIndex(rows, row => row.StartsWith("| 30 |", StringComparison.Ordinal));
        Assert.StartsWith("| 30, predicted from the others |", rows[measured + 1], StringComparison.Ordinal);
        Assert.Equal(rows[measured].Split('|')[2], rows[measured + 1].Split('|')[2]);
        Assert.Contains("| Llama-3.1-8B | 2048 |", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_part_of_the_page_and_its_plot_are_replaced_and_nothing_else()
    {
        var docs = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var page = Path.Combine(docs, "performance.md");
            File.WriteAllText(page, "before\n<!-- growth -->\nold\n<!-- end -->\nafter\n");
            var console = new StringWriter();
            new ReportOutput(Path.Combine(docs, "growth.json"), docs).Write(
                tables =>
                {
                    tables.WriteLine("new");
                    return _report;
                },
                console);

            Assert.Equal("before\n<!-- growth -->\nnew\n<!-- end -->\nafter\n", File.ReadAllText(page));
            Assert.Equal(_report.Images["growth.svg"], File.ReadAllText(Path.Combine(docs, "images", "growth.svg")));
            Assert.Equal(_report.ToJson(), File.ReadAllText(Path.Combine(docs, "growth.json")));
            Assert.StartsWith("new", console.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(docs, recursive: true);
        }
    }

    private static List<(double X, double Y)> Points(XElement line) =>
        [.. line.Attribute("points")!.Value.Split(' ').Select(pair => pair.Split(',')).Select(pair => (double.Parse(pair[0], null), double.Parse(pair[1], null)))];

    // Coordinates are written to a tenth of a pixel.
    private static void AssertStraight(List<(double X, double Y)> line)
    {
        var (first, last) = (line[0], line[^1]);
        Assert.All(line, point => Assert.Equal(first.Y + ((last.Y - first.Y) * (point.X - first.X) / (last.X - first.X)), point.Y, 0.2));
    }
}
