namespace LoraFhe.Cryptography;

/// <summary>How many threads a caller's number means.</summary>
internal static class ThreadCount
{
    /// <summary>0 is one thread for each processor; any other number is itself.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxThreads"/> is negative.</exception>
    public static int Resolve(int maxThreads, string parameter) =>
        maxThreads < 0 ? throw Errors.Threads(maxThreads, parameter) : maxThreads == 0 ? Environment.ProcessorCount : maxThreads;
}
