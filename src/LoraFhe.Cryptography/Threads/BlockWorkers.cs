namespace LoraFhe.Cryptography;

/// <summary>Hands numbered pieces of work to threads, each taking the next when it is done with one. One thread runs on the caller's.</summary>
internal static class BlockWorkers
{
    /// <summary>How many workers <see cref="Run"/> uses.</summary>
    public static int Count(int pieces, int maxThreads) =>
        Math.Max(1, Math.Min(pieces, maxThreads == 0 ? Environment.ProcessorCount : maxThreads));

    /// <summary>Runs all pieces.</summary>
    /// <param name="pieces">How many.</param>
    /// <param name="maxThreads">Threads to use; 0 for all.</param>
    /// <param name="work">Gets the worker's number and the piece's. A worker's pieces follow each other.</param>
    public static void Run(int pieces, int maxThreads, Action<int, int> work)
    {
        var workers = Count(pieces, maxThreads);
        if (workers == 1)
        {
            for (var piece = 0; piece < pieces; piece++)
            {
                work(0, piece);
            }

            return;
        }

        new BlockCrew(pieces, work).Run(workers);
    }
}
