namespace LoraFhe.Cryptography.Tests;

public sealed class BlockWorkersTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1000, 1)]
    [InlineData(1000, 2)]
    [InlineData(1000, 8)]
    [InlineData(3, 16)]
    public void Every_piece_is_done_once_and_no_worker_does_two_at_a_time(int pieces, int threads)
    {
        var workers = BlockWorkers.Count(pieces, threads);
        for (var round = 0; round < 200; round++)
        {
            var done = new int[pieces];
            var busy = new int[workers];
            var overlaps = 0;
            BlockWorkers.Run(pieces, threads, (worker, piece) =>
            {
                overlaps |= Interlocked.Exchange(ref busy[worker], 1);
                Interlocked.Increment(ref done[piece]);
                Volatile.Write(ref busy[worker], 0);
            });

            Assert.All(done, count => Assert.Equal(1, count));
            Assert.Equal(0, overlaps);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void An_exception_of_a_piece_reaches_the_caller_as_itself_after_all_workers_have_stopped(int threads)
    {
        var working = 0;
        var exception = Assert.Throws<TimeoutException>(() => BlockWorkers.Run(10_000, threads, (_, piece) =>
        {
            Interlocked.Increment(ref working);
            try
            {
                if (piece >= 100)
                {
                    throw new TimeoutException("piece");
                }
            }
            finally
            {
                Interlocked.Decrement(ref working);
            }
        }));

        Assert.Equal("piece", exception.Message);
        Assert.Equal(0, Volatile.Read(ref working));
    }

    [Fact]
    public void A_caller_that_is_interrupted_stays_until_all_workers_have_stopped()
    {
        // What they work with is freed when it returns. The interrupt is not lost.
        using var never = new ManualResetEvent(false);
        var (started, interrupted, finished, seen, isPending) = (false, false, false, false, false);
        var caller = new Thread(() =>
        {
            var thrown = Record.Exception(() => BlockWorkers.Run(2, 2, (_, _) =>
            {
                if (Thread.CurrentThread.IsThreadPoolThread)
                {
                    Volatile.Write(ref started, true);
                    SpinWait.SpinUntil(() => Volatile.Read(ref interrupted));
                    Thread.SpinWait(100_000);
                    Volatile.Write(ref finished, true);
                    return;
                }

                while (!Volatile.Read(ref started))
                {
                    Thread.SpinWait(10);
                }
            }));
            seen = thrown is null && Volatile.Read(ref finished);
            isPending = Record.Exception(() => never.WaitOne(1)) is ThreadInterruptedException;
        });
        caller.Start();
        SpinWait.SpinUntil(() => Volatile.Read(ref started));
        caller.Interrupt();
        Volatile.Write(ref interrupted, true);
        caller.Join();

        Assert.True(seen);
        Assert.True(isPending);
    }

    [Fact]
    public void Calls_from_every_thread_of_the_pool_and_from_within_a_piece_end()
    {
        var sum = 0L;
        Parallel.For(0, 64, _ => BlockWorkers.Run(8, 4, (_, _) => BlockWorkers.Run(4, 4, (_, piece) => Interlocked.Add(ref sum, piece))));

        Assert.Equal(64L * 8 * (0 + 1 + 2 + 3), sum);
    }

    [Fact]
    public void What_a_call_allocates_is_little()
    {
        static void Nothing(int worker, int piece)
        {
        }

        BlockWorkers.Run(16, 4, Nothing);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            BlockWorkers.Run(16, 4, Nothing);
        }

        // Parallel.For takes 2 to 3 KiB.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 512);
    }
}
