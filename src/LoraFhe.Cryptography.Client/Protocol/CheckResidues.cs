namespace LoraFhe.Cryptography.Client;

/// <summary>A call's check sums modulo q, one for each token and vector; its threads add theirs in turn.</summary>
internal sealed unsafe class CheckResidues
{
    private readonly Lock _turn = new();
    private readonly uint* _residues;

    /// <summary>Takes zeroed secret memory that outlives this.</summary>
    public CheckResidues(uint* residues, int count)
    {
        _residues = residues;
        Count = count;
    }

    /// <summary>Tokens times vectors.</summary>
    public int Count { get; }

    /// <summary>The residues, below q.</summary>
    public ReadOnlySpan<uint> Values => new(_residues, Count);

    /// <summary>residues[i] += Σ lanes modulo q; the sums begin again at zero.</summary>
    /// <param name="sums">[count][lanes].</param>
    /// <param name="lanes">Sums of one residue.</param>
    public void Add(long* sums, int lanes)
    {
        lock (_turn)
        {
            for (var i = 0; i < Count; i++, sums += lanes)
            {
                var residue = _residues[i];
                for (var lane = 0; lane < lanes; lane++)
                {
                    residue = Modular.Add(residue, Modular.FromCentered(Modular.Reduce(sums[lane])));
                    sums[lane] = 0;
                }

                _residues[i] = residue;
            }
        }
    }
}
