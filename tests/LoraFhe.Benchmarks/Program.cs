// `dotnet run -c Release --project tests/LoraFhe.Benchmarks -- ratios` times encrypted layers against libtorch's float32 in one process.
using System.Globalization;
using LoraFhe.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ["ratios", .. var rest])
{
    Console.Error.WriteLine($"'{string.Join(' ', args)}' was not understood. Expected: ratios [--tokens N,N] [--threads N,N] [--seconds X] [--bits N] [--json FILE]");
    return 2;
}

var options = RatioOptions.Parse(rest, Console.Error);
if (options is null)
{
    return 2;
}

var report = Ratios.Run(options, Console.Out);
if (options.Json is not null)
{
    report.Save(options.Json);
    Console.WriteLine($"Written: {options.Json}");
}

return 0;
