// `dotnet run -c Release --project tests/LoraFhe.Benchmarks -- ratios` times encrypted layers against libtorch's float32 in one process;
// `-- step` does it for whole training steps in every mode; `-- memory` trains in each mode in a process of its own, and reports what memory
// it took.
using System.Globalization;
using LoraFhe.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args switch
{
    ["ratios", .. var rest] => Report(RatioOptions.Parse(rest, Console.Error), options => Ratios.Run(options, Console.Out), (report, file) => report.Save(file), options => options.Json),
    ["step", .. var rest] => Report(StepOptions.Parse(rest, Console.Error), options => Steps.Run(options, Console.Out), (report, file) => report.Save(file), options => options.Json),
    ["memory", .. var rest] => Report(MemoryOptions.Parse(rest, Console.Error), options => Memory.Run(options, Console.Out), (report, file) => report.Save(file), options => options.Json),
    [MemoryChild.Command, .. var rest] => MemoryChild.Run(rest, Console.Out),
    [StepChild.Command, .. var rest] => StepChild.Run(rest, Console.Out),
    _ => Refuse(args),
};

static int Report<TOptions, TReport>(TOptions? options, Func<TOptions, TReport> run, Action<TReport, string> save, Func<TOptions, string?> file)
    where TOptions : class
{
    if (options is null)
    {
        return 2;
    }

    var report = run(options);
    if (file(options) is { } json)
    {
        save(report, json);
        Console.WriteLine($"Written: {json}");
    }

    return 0;
}

static int Refuse(string[] arguments)
{
    Console.Error.WriteLine($"'{string.Join(' ', arguments)}' was not understood. Expected: ratios, step or memory, and options; a wrong option lists them.");
    return 2;
}
