using System.Globalization;
using System.Text;
using LoraFhe;
using LoraFhe.Tools.Soak;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new StopSignals();
try
{
    var (options, exitCode) = new CommandLine().Parse(args, Console.Error);
    if (options is null)
    {
        return exitCode;
    }

    LibTorch.EnsureSupported();
    return Soak.Run(options, Console.Out, stop.Token) ? 0 : 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped. The same command goes on with what is not finished.");
    return StopSignals.ExitCode;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
