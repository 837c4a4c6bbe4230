using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LoraFhe;
using LoraFhe.Samples.FineTuneText;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new StopSignals();
RunOptions? options = null;
try
{
    (options, var exitCode) = new CommandLine().Parse(args, Console.Error);
    if (options is null)
    {
        return exitCode;
    }

    LibTorch.EnsureSupported();
    FineTuning.Run(options, stop.Token);
    return 0;
}
catch (OperationCanceledException)
{
    Screen.Line(RunFolder.HoldsRun(options!.Out) ? "Stopped, and what was trained is saved. To go on:" : "Stopped before anything was done.");
    if (RunFolder.HoldsRun(options.Out))
    {
        Screen.Line($"  dotnet run -c Release --project samples/02_FineTuneText -- --resume --out {Screen.PathOf(options.Out)}");
    }

    return stop.ExitCode;
}
catch (WrongArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
catch (NotFiniteNumberException e)
{
    Console.Error.WriteLine($"Training diverged: {e.Message} Try a smaller --lr or --alpha.");
    return 1;
}
catch (Exception e) when (e is InvalidDataException or IOException or ArgumentException or NotSupportedException
    or UnauthorizedAccessException or InvalidOperationException or ExternalException)
{
    Console.Error.WriteLine(OneLine(e));
    return 1;
}

// Who typed a command knows no parameter of the library, and libtorch's own errors carry a stack of C++.
static string OneLine(Exception e)
{
    var text = e is ArgumentException { ParamName: { } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;
    return text.Split('\n', 2)[0].Trim();
}
