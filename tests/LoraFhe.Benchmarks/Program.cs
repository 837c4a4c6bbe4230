// `dotnet run -c Release --project tests/LoraFhe.Benchmarks -- ratios` times encrypted layers against libtorch's float32 in one process;
// `-- step` does it for whole training steps in every mode; `-- growth` shows how time grows with tokens, width and layers, and what larger
// models cost; `-- memory` trains in each mode in a process of its own, and reports what memory it took; `-- masks` shows what masks made
// ahead bring a step. Each takes `--json FILE`, and `--docs docs` to put its tables into docs/performance.md. `-- micro` times the parts
// under these, each by itself, and takes BenchmarkDotNet's options.
using System.Globalization;
using System.Text;
using LoraFhe.Benchmarks;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args switch
{
    ["ratios", .. var rest] => Report(rest, others => RatioOptions.Parse(others, Console.Error), Ratios.Run),
    ["step", .. var rest] => Report(rest, others => StepOptions.Parse(others, Console.Error), Steps.Run),
    ["growth", .. var rest] => Report(rest, others => GrowthOptions.Parse(others, Console.Error), Growth.Run),
    ["memory", .. var rest] => Report(rest, others => MemoryOptions.Parse(others, Console.Error), Memory.Run),
    ["masks", .. var rest] => Report(rest, others => StepOptions.Parse(others, Console.Error), MasksAheadRun.Run),
    ["micro", .. var rest] => Micro.Run(rest),
    [MemoryChild.Command, .. var rest] => MemoryChild.Run(rest, Console.Out, Console.In),
    [StepChild.Command, .. var rest] => StepChild.Run(rest, Console.Out, Console.In),
    [ProductServer.Command, .. var rest] => ProductServer.Run(rest, Console.Out, Console.In),
    _ => Refuse(args),
};

static int Report<TOptions>(string[] arguments, Func<IReadOnlyList<string>, TOptions?> parse, Func<TOptions, TextWriter, IReport> run)
    where TOptions : class
{
    if (ReportOutput.Parse(arguments, Console.Error) is not (var output, var others) || parse(others) is not { } options)
    {
        return 2;
    }

    output.Write(tables => run(options, tables), Console.Out);
    return 0;
}

static int Refuse(string[] arguments)
{
    Console.Error.WriteLine($"'{string.Join(' ', arguments)}' was not understood. Expected: ratios, step, growth, memory or masks, and options (a wrong option lists them), or micro and BenchmarkDotNet's own arguments.");
    return 2;
}
