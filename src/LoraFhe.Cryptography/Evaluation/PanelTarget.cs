using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Where one panel's outputs go: adds a block's sums to what earlier blocks left, and cuts off what lies past the last output.</summary>
/// <remarks>Between blocks the target's words lie in [0, q); after the last they take the target's own range.</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal readonly unsafe ref struct PanelTarget<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    private readonly ref readonly WordMatrix _target;
    private readonly int _firstOutput;
    private readonly bool _isFirst;
    private readonly bool _center;

    /// <summary>Prepares for one panel.</summary>
    /// <param name="target">C.</param>
    /// <param name="firstOutput">The panel's first output, a multiple of the vector's lanes.</param>
    /// <param name="isFirst">Whether the target holds nothing yet.</param>
    /// <param name="center">Whether words leave in ±(q−1)/2.</param>
    public PanelTarget(in WordMatrix target, int firstOutput, bool isFirst, bool center)
    {
        _target = ref target;
        _firstOutput = firstOutput;
        _isFirst = isFirst;
        _center = center;
    }

    /// <summary>Adds and writes one vector of one token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int vector, int token, TVector sum)
    {
        var output = _firstOutput + (vector * TVector.Lanes);
        var block = output / FeatureBlocks.Width;
        var lane = output % FeatureBlocks.Width;
        var valid = _target.Width(block) - lane;
        if (valid <= 0)
        {
            return;
        }

        var words = _target.At(block, token) + lane;
        if (valid >= TVector.Lanes)
        {
            TVector.Store(Finish(_isFirst ? sum : TVector.AddModular(sum, TVector.Load(words))), words);
        }
        else
        {
            WriteNarrow(words, valid, sum);
        }
    }

    private void WriteNarrow(int* words, int count, TVector sum)
    {
        var lanes = stackalloc int[FeatureBlocks.Width];
        var narrow = new Span<int>(lanes, FeatureBlocks.Width)[..count];
        var target = new Span<int>(words, count);
        if (!_isFirst)
        {
            target.CopyTo(narrow);
            sum = TVector.AddModular(sum, TVector.Load(lanes));
        }

        TVector.Store(Finish(sum), lanes);
        narrow.CopyTo(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Finish(TVector sum) => _center ? TVector.Center(sum) : sum;
}
