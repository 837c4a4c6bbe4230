namespace LoraFhe.Cryptography.Client;

/// <summary>One thread's state through a call: its room, its share of the check, and, encrypting, a stream of errors for each group.</summary>
internal sealed unsafe class CallWorker : IDisposable
{
    private readonly SecretStream?[] _errorStreams;
    private readonly CheckResidues _residues;

    /// <summary>Takes the call's shape.</summary>
    /// <param name="pool">Where the room comes from.</param>
    /// <param name="groups">Groups of the call.</param>
    /// <param name="residues">The call's check values, shared by its threads.</param>
    public CallWorker(SecretMemoryPool pool, int groups, CheckResidues residues)
    {
        _errorStreams = new SecretStream?[groups];
        _residues = residues;
        Scratch = new WorkerScratch(pool, residues.Count);
    }

    /// <summary>Room.</summary>
    public WorkerScratch Scratch { get; }

    /// <summary>A group's stream of errors.</summary>
    public SecretStream ErrorStream(int group, byte* keys) =>
        _errorStreams[group] ??= SecretStream.Create(new ReadOnlySpan<byte>(keys + (group * KeyDerivation.KeySize), KeyDerivation.KeySize));

    /// <summary>Takes one block's sums of one group into this thread's check values.</summary>
    /// <param name="group">The group.</param>
    /// <param name="weights">The block's weights of features.</param>
    public void AddToCheck(int group, uint* weights) =>
        ResponseVerifier.Add(Scratch.FeatureSums, weights, Scratch.Residues + (group * ResponseVerifier.TokenStride));

    /// <summary>Adds this thread's check values to the call's.</summary>
    public void Finish() => _residues.Add(new ReadOnlySpan<uint>(Scratch.Residues, _residues.Count));

    /// <summary>Zeroes keys and room.</summary>
    public void Dispose()
    {
        foreach (var stream in _errorStreams)
        {
            stream?.Dispose();
        }

        Scratch.Dispose();
    }
}
