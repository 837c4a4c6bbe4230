namespace LoraFhe.Cryptography.Client;

/// <summary>One thread's state through a call: its room and, encrypting, a stream of errors for each group.</summary>
internal sealed unsafe class CallWorker : IDisposable
{
    private readonly ScratchPool _pool;
    private readonly SecretStream?[] _errorStreams;

    /// <summary>Takes room.</summary>
    /// <param name="pool">Where the room comes from.</param>
    /// <param name="groups">Groups whose errors this thread may draw.</param>
    public CallWorker(ScratchPool pool, int groups)
    {
        _pool = pool;
        _errorStreams = groups == 0 ? [] : new SecretStream?[groups];
        Scratch = pool.Rent();
    }

    /// <summary>Room.</summary>
    public WorkerScratch Scratch { get; }

    /// <summary>A group's stream of errors.</summary>
    public SecretStream ErrorStream(int group, byte* keys) =>
        _errorStreams[group] ??= SecretStream.Create(new ReadOnlySpan<byte>(keys + (group * KeyDerivation.KeySize), KeyDerivation.KeySize));

    /// <summary>Zeroes keys and room.</summary>
    public void Dispose()
    {
        foreach (var stream in _errorStreams)
        {
            stream?.Dispose();
        }

        _pool.Return(Scratch);
    }
}
