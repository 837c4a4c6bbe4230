namespace LoraFhe.Cryptography.Client;

/// <summary>A call's check values modulo q, [groups][4] with three in use; its threads add theirs in turn.</summary>
internal sealed unsafe class CheckResidues
{
    private readonly Lock _turn = new();
    private readonly uint* _residues;

    /// <summary>Takes zeroed secret memory that outlives this.</summary>
    public CheckResidues(uint* residues, int groups)
    {
        _residues = residues;
        Count = groups * ResponseVerifier.TokenStride;
    }

    /// <summary>Words, padding included.</summary>
    public int Count { get; }

    /// <summary>The residues, below q.</summary>
    public ReadOnlySpan<uint> Values => new(_residues, Count);

    /// <summary>Adds a thread's residues.</summary>
    public void Add(ReadOnlySpan<uint> residues)
    {
        lock (_turn)
        {
            for (var i = 0; i < Count; i++)
            {
                _residues[i] = Modular.Add(_residues[i], residues[i]);
            }
        }
    }
}
