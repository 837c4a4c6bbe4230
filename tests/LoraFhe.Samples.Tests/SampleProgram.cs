using System.Diagnostics;
using LoraFhe.Fixtures;

namespace LoraFhe.Samples.Tests;

/// <summary>A program of this repository, run as its own process.</summary>
internal static class SampleProgram
{
    private static string Configuration =>
#if DEBUG
        "Debug";
#else
        "Release";
#endif

    public static (int ExitCode, string Output, string Error) LoraMlp(params string[] arguments) =>
        Run(Find("samples/01_LoraMlp", "LoraFhe.Samples.LoraMlp.dll"), arguments);

    public static (int ExitCode, string Output, string Error) OwnBackend(params string[] arguments) =>
        Run(Find("samples/03_OwnBackend", "LoraFhe.Samples.OwnBackend.dll"), arguments);

    public static (int ExitCode, string Output, string Error) FineTuneText(params string[] arguments) =>
        Run(Find("samples/02_FineTuneText", "LoraFhe.Samples.FineTuneText.dll"), arguments);

    public static (int ExitCode, string Output, string Error) Replay(params string[] arguments) =>
        Run(Find("tools/replay", "LoraFhe.Tools.Replay.dll"), arguments);

    public static (int ExitCode, string Output, string Error) Soak(params string[] arguments) =>
        Run(Find("tools/soak", "LoraFhe.Tools.Soak.dll"), arguments);

    /// <summary>Starts the first tutorial and leaves it running, open to Ctrl-C's signal even if this process was started deaf to it.</summary>
    public static Process StartLoraMlp(params string[] arguments)
    {
        var command = Command(Find("samples/01_LoraMlp", "LoraFhe.Samples.LoraMlp.dll"), arguments);
        if (OperatingSystem.IsLinux())
        {
            command.FileName = "env";
            command.ArgumentList.Insert(0, "--default-signal=INT");
            command.ArgumentList.Insert(1, "dotnet");
        }

        return Process.Start(command)!;
    }

    /// <summary>Starts the fine-tuning and leaves it running.</summary>
    public static Process StartFineTuneText(params string[] arguments) =>
        Process.Start(Command(Find("samples/02_FineTuneText", "LoraFhe.Samples.FineTuneText.dll"), arguments))!;

    /// <summary>Sends a signal, as a terminal or a supervisor does.</summary>
    public static void Signal(Process process, int number)
    {
        using var kill = Process.Start("kill", [$"-{number}", $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Runs the fine-tuning from a shell.</summary>
    /// <param name="script">Bash, in which <c>$SAMPLE</c> starts the program.</param>
    public static (int ExitCode, string Output, string Error) FromShell(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SAMPLE"] = $"dotnet {Find("samples/02_FineTuneText", "LoraFhe.Samples.FineTuneText.dll")}";
        return Finish(start);
    }

    private static string Find(string project, string assembly) =>
        Directory.EnumerateFiles(RepositoryFolder.At([.. project.Split('/'), "bin", Configuration]), assembly, SearchOption.AllDirectories).Single();

    private static (int, string, string) Run(string assembly, string[] arguments) => Finish(Command(assembly, arguments));

    private static (int, string, string) Finish(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    private static ProcessStartInfo Command(string assembly, string[] arguments) => new("dotnet", [assembly, .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
