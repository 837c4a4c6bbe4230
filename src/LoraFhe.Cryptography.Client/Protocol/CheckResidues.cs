using System.Diagnostics;

namespace LoraFhe.Cryptography.Client;

/// <summary>A call's check values modulo q, [groups][4] with three in use; its threads add theirs in turn.</summary>
internal sealed unsafe class CheckResidues
{
    private readonly Lock _turn = new();
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly uint* _residues;
    private readonly int _groups;

    /// <summary>Takes zeroed secret memory that outlives this.</summary>
    public CheckResidues(uint* residues, int groups)
    {
        _residues = residues;
        _groups = groups;
    }

    /// <summary>Bytes for so many groups.</summary>
    public static int SizeOf(int groups) => groups * ResponseVerifier.TokenStride * sizeof(uint);

    /// <summary>The residues, below q.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public ReadOnlySpan<uint> Values => Read(_residues, _groups);

    /// <summary>The residues of a call that nobody adds to any more.</summary>
    public static ReadOnlySpan<uint> Read(uint* residues, int groups) => new(residues, groups * ResponseVerifier.TokenStride);

    /// <summary>Adds Σ weights·sums modulo q over one block's features.</summary>
    /// <param name="group">The group.</param>
    /// <param name="sums">As <see cref="BlockWork.FeatureSums"/>.</param>
    /// <param name="weights">The block's weights of features [16][3], in [0, q).</param>
    public void Add(int group, long* sums, uint* weights)
    {
        Span<uint> block = stackalloc uint[ResponseVerifier.Vectors];
        for (var v = 0; v < block.Length; v++)
        {
            // Sixteen words below q: their sum is reduced once.
            var total = 0UL;
            for (var lane = 0; lane < FeatureBlocks.Width; lane++)
            {
                var sum = SecretWord.Reduce(sums[ResponseVerifier.SumIndex(v, lane)]);
                total += SecretWord.Multiply(sum, weights[(lane * ResponseVerifier.Vectors) + v]);
            }

            block[v] = (uint)(total % Modular.Modulus);
        }

        lock (_turn)
        {
            var residues = _residues + (group * ResponseVerifier.TokenStride);
            for (var v = 0; v < block.Length; v++)
            {
                residues[v] = SecretWord.Add(residues[v], block[v]);
            }
        }

        block.Clear();
    }
}
