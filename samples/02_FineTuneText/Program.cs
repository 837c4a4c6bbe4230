using LoraFhe;
using LoraFhe.Samples.FineTuneText;

Console.OutputEncoding = System.Text.Encoding.UTF8;
System.Globalization.CultureInfo.CurrentCulture = System.Globalization.CultureInfo.InvariantCulture;
var (options, exitCode) = new CommandLine().Parse(args, Console.Error);
if (options is null)
{
    return exitCode;
}

using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // The second time, the process ends at once.
    pressed.Cancel = !cancellation.IsCancellationRequested;
    cancellation.Cancel();
};

try
{
    LibTorch.EnsureSupported();
    FineTuning.Run(options, cancellation.Token);
    return 0;
}
catch (OperationCanceledException)
{
    Screen.BreakLine();
    Screen.Line($"Stopped. --resume --out {options.Out} goes on from its last checkpoint.");
    return 130;
}
catch (Exception e) when (e is InvalidDataException or IOException or ArgumentException or NotSupportedException or UnauthorizedAccessException)
{
    Screen.BreakLine();
    Console.Error.WriteLine(e.Message);
    return 1;
}
