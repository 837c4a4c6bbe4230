using System.Reflection;
using BenchmarkDotNet.Running;

namespace LoraFhe.Benchmarks.Tests;

/// <summary>What an operation allocates once it is warm is part of its contract: a change that makes it more is seen here, not in a run's slow growth.</summary>
public sealed class AllocationTests
{
    private const int WarmUps = 3;
    private const int Trials = 5;

    private static readonly Dictionary<string, BenchmarkCase> All = typeof(ExpectedAllocationAttribute).Assembly.GetExportedTypes()
        .SelectMany(type => BenchmarkConverter.TypeToBenchmarks(type).BenchmarksCases)
        .ToDictionary(NameOf, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_warm_operation_allocates_no_more_than_its_attribute_says(string name)
    {
        var benchmark = All[name];
        var expected = benchmark.Descriptor.WorkloadMethod.GetCustomAttribute<ExpectedAllocationAttribute>();
        Assert.True(expected is not null, $"{name} has no {nameof(ExpectedAllocationAttribute)}.");
        Assert.InRange(Allocation(benchmark), 0, expected.Bytes);
    }

    /// <summary>The least of some runs: what an operation always allocates. A code's later compilation or a pool's trimming falls in one or two.</summary>
    private static long Allocation(BenchmarkCase benchmark)
    {
        var instance = Activator.CreateInstance(benchmark.Descriptor.Type)!;
        foreach (var parameter in benchmark.Parameters.Items)
        {
            benchmark.Descriptor.Type.GetProperty(parameter.Name)!.SetValue(instance, parameter.Value);
        }

        benchmark.Descriptor.GlobalSetupMethod?.Invoke(instance, null);
        try
        {
            var operation = benchmark.Descriptor.WorkloadMethod.CreateDelegate<Action>(instance);
            for (var i = 0; i < WarmUps; i++)
            {
                operation();
            }

            return Enumerable.Range(0, Trials).Min(_ => Measure(operation));
        }
        finally
        {
            benchmark.Descriptor.GlobalCleanupMethod?.Invoke(instance, null);
        }
    }

    private static long Measure(Action operation)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        operation();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static string NameOf(BenchmarkCase benchmark) => string.Join(
        ' ',
        benchmark.Parameters.Items.Select(parameter => $"{parameter.Name}={parameter.Value}")
            .Prepend($"{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}"));
}
