using System.Diagnostics;

namespace LoraFhe.Benchmarks.Tests;

public sealed class ChildProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_child_ends_with_the_process_that_started_it()
    {
        using var child = Process.Start(ChildProcess.StartInfo([MemoryChild.Command, MemoryChild.Tiny, "torch", "1000000000"]))!;
        try
        {
            child.StandardInput.Close(); // as the end of the process that holds it does

            Assert.True(child.WaitForExit(Patience));
        }
        finally
        {
            child.Kill();
        }
    }
}
