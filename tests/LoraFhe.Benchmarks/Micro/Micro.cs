using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace LoraFhe.Benchmarks;

/// <summary>Runs the benchmarks of this folder under BenchmarkDotNet: all of them, or those its arguments name.</summary>
internal static class Micro
{
    private const int Iterations = 10;
    private const int WarmUps = 3;

    /// <summary>Runs them.</summary>
    /// <param name="arguments">BenchmarkDotNet's own, such as <c>--filter *Product*</c> or <c>--list flat</c>.</param>
    public static int Run(string[] arguments)
    {
        BenchmarkSwitcher.FromAssembly(typeof(Micro).Assembly).Run(arguments is [] ? ["--filter", "*"] : arguments, Config());
        return 0;
    }

    // In this process: a benchmark's own project would have to be restored and built, and what was built is here. One thread is measured, so
    // short iterations do.
    private static ManualConfig Config() => ManualConfig.Create(DefaultConfig.Instance)
        .AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithIterationTime(TimeInterval.FromMilliseconds(150))
            .WithWarmupCount(WarmUps)
            .WithIterationCount(Iterations))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "BenchmarkDotNet.Artifacts"));
}
