using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoraFhe.Samples.Tests;

public sealed class FineTuneTextTests
{
    [Fact]
    public void A_recorded_run_reports_its_figures_and_replays_without_the_library()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output, error) = SampleProgram.FineTuneText(
            "--quick", "--steps", "3", "--batch", "2", "--length", "32", "--out", folder.At("out"), "--report", folder.At("report.json"), "--record", folder.At("record"));
        Assert.True(exitCode == 0, output + error);
        Assert.Empty(error);

        using var report = JsonDocument.Parse(File.ReadAllText(folder.At("report.json")));
        Assert.Equal("execute", Text("mode"));
        Assert.Equal(3, report.RootElement.GetProperty("losses").GetArrayLength());
        Assert.True(Number("perplexityAfter") < Number("perplexityBefore"), output);
        Assert.InRange(Number("torchPerplexityAfter") / Number("perplexityAfter"), 0.9, 1.1);
        Assert.True(Number("bytesUp") > 0 && Number("bytesDown") > 0);
        Assert.True(Number("secondsPerStep") > 0 && Number("torchSecondsPerStep") > 0);
        Assert.NotEmpty(Text("kernel"));
        Assert.True(File.Exists(folder.At("out/adapter/adapter_model.safetensors")));
        Assert.True(File.ReadAllBytes(folder.At("out/loss.png")).AsSpan(1, 3).SequenceEqual("PNG"u8));

        var (replayed, replay, replayError) = SampleProgram.Replay(folder.At("record"));
        Assert.True(replayed == 0, replay + replayError);
        Assert.EndsWith("31 of 31\n", replay.ReplaceLineEndings("\n"), StringComparison.Ordinal);

        Tamper(folder.At("record/000007.response"));
        var (tampered, found, _) = SampleProgram.Replay(folder.At("record"));
        Assert.Equal(1, tampered);
        Assert.StartsWith("call 7, ", found, StringComparison.Ordinal);
        Assert.EndsWith("30 of 31\n", found.ReplaceLineEndings("\n"), StringComparison.Ordinal);

        // Numbers in the clear, such as small ones, are told from encrypted ones.
        WriteSmallNumbers(folder.At("record/000003.request"));
        Assert.Contains("call 3, ", SampleProgram.Replay(folder.At("record")).Output, StringComparison.Ordinal);

        File.WriteAllBytes(folder.At("record/000009.request"), File.ReadAllBytes(folder.At("record/000009.request"))[..1000]);
        var (truncated, _, says) = SampleProgram.Replay(folder.At("record"));
        Assert.Equal(1, truncated);
        Assert.Contains("000009.request has 1000 bytes", Assert.Single(says.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);

        string Text(string name) => report.RootElement.GetProperty(name).GetString()!;
        double Number(string name) => report.RootElement.GetProperty(name).GetDouble();
    }

    [Fact]
    public void What_diverges_and_what_the_model_or_text_cannot_give_ends_in_one_line()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("one.jsonl"), "{\"text\": \"My son, hear the instruction of thy father.\"}\n");

        AssertFails(1, "diverged", "--quick", "--fhe", "disable", "--lr", "10", "--alpha", "1000000", "--out", folder.At("out"));
        AssertFails(2, "--length 513", "--length", "513", "--out", folder.At("out"));
        AssertFails(2, "--batch 4000", "--batch", "4000", "--out", folder.At("out"));
        AssertFails(1, "one.jsonl", "--data", folder.At("one.jsonl"), "--out", folder.At("out"));
        AssertFails(1, "--out", "--out", folder.At("one.jsonl/out"));
        AssertFails(1, "--report", "--out", folder.At("out"), "--report", folder.At("one.jsonl/report.json"));
    }

    [Fact]
    public void Packed_rows_are_hardly_padded()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(
            folder.At("rows.jsonl"),
            Enumerable.Range(0, 120).Select(i => $"{{\"text\": \"{string.Join(' ', Enumerable.Repeat("my son", 1 + (i % 7)))}.\"}}"));

        Assert.InRange(Padding(), 20, 40);
        Assert.InRange(Padding("--pack"), 0, 10);

        double Padding(params string[] more)
        {
            string[] arguments = ["--quick", "--fhe", "torch", "--steps", "1", "--data", folder.At("rows.jsonl"), "--out", folder.At("out"), .. more];
            var (exitCode, output, error) = SampleProgram.FineTuneText(arguments);
            Assert.True(exitCode == 0, output + error);
            var found = Regex.Match(output, @"(\d+\.\d) %\s+of\s+its\s+batches\s+is\s+padding");
            return double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
        }
    }

    private static void AssertFails(int code, string names, params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.FineTuneText(arguments);
        Assert.True(exitCode == code, output + error);
        Assert.Contains(names, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static void Tamper(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[100] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private static void WriteSmallNumbers(string file)
    {
        const int Header = 64;
        var bytes = File.ReadAllBytes(file);
        for (var i = Header; i < bytes.Length; i += 4)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i), i % 1000);
        }

        File.WriteAllBytes(file, bytes);
    }
}
