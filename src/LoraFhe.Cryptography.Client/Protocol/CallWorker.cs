namespace LoraFhe.Cryptography.Client;

/// <summary>One thread's state through a call: its room, its share of the check sums, and, encrypting, a stream of errors for each group.</summary>
internal sealed unsafe class CallWorker : IDisposable
{
    private readonly SecretStream?[] _errorStreams;
    private readonly CheckResidues _residues;
    private readonly int _sumLanes;
    private int _blocks;

    /// <summary>Takes the call's shape.</summary>
    /// <param name="pool">Where the room comes from.</param>
    /// <param name="groups">Groups whose errors are drawn; 0 while decrypting.</param>
    /// <param name="residues">The call's residues, shared by its threads.</param>
    /// <param name="sumLanes">The kernel's sums of one residue.</param>
    public CallWorker(SecretMemoryPool pool, int groups, CheckResidues residues, int sumLanes)
    {
        _errorStreams = new SecretStream?[groups];
        _residues = residues;
        _sumLanes = sumLanes;
        Scratch = new WorkerScratch(pool, residues.Count * sumLanes);
    }

    /// <summary>Room.</summary>
    public WorkerScratch Scratch { get; }

    /// <summary>A group's stream of errors.</summary>
    public SecretStream ErrorStream(int group, byte* keys) =>
        _errorStreams[group] ??= SecretStream.Create(new ReadOnlySpan<byte>(keys + (group * KeyDerivation.KeySize), KeyDerivation.KeySize));

    /// <summary>Counts a block, and folds the check sums before they could overflow.</summary>
    public void EndBlock()
    {
        if (++_blocks % ClientKernel.BlocksPerFold == 0)
        {
            Fold();
        }
    }

    /// <summary>Adds this thread's check sums to the call's.</summary>
    public void Fold() => _residues.Add(Scratch.Sums, _sumLanes);

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
