// `dotnet run -c Release --project tests/LoraFhe.Benchmarks -- ratios` times encrypted layers against libtorch's float32 in one process;
// `-- memory` trains in each mode in a process of its own, and reports what memory it took;
// `-- micro` times the parts under these, each by itself.
using System.Globalization;
using LoraFhe.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args switch
{
    ["ratios", .. var rest] => RunRatios(RatioOptions.Parse(rest, Console.Error)),
    ["memory", .. var rest] => RunMemory(MemoryOptions.Parse(rest, Console.Error)),
    ["micro", .. var rest] => Micro.Run(rest),
    [MemoryChild.Command, .. var rest] => MemoryChild.Run(rest, Console.Out),
    _ => Refuse(args),
};

static int RunRatios(RatioOptions? options)
{
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
}

static int RunMemory(MemoryOptions? options)
{
    if (options is null)
    {
        return 2;
    }

    var report = Memory.Run(options, Console.Out);
    if (options.Json is not null)
    {
        report.Save(options.Json);
        Console.WriteLine($"Written: {options.Json}");
    }

    return 0;
}

static int Refuse(string[] arguments)
{
    Console.Error.WriteLine(
        $"'{string.Join(' ', arguments)}' was not understood. Expected: ratios [--tokens N,N] [--threads N,N] [--seconds X] [--bits N] [--json FILE], memory [--steps N] [--json FILE], or micro [BenchmarkDotNet's own arguments]");
    return 2;
}
