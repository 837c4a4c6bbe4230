using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Where one vector of outputs goes, token after token: adds a block's sums to what earlier blocks left, and cuts off what lies
/// past the last output.</summary>
/// <remarks>Between blocks the target's words lie in [0, q); after the last they take the target's own range.</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal readonly unsafe struct VectorTarget<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    private readonly int* _words;
    private readonly int _stride;
    private readonly int _valid;
    private readonly bool _isFirst;
    private readonly bool _center;

    /// <summary>Prepares for one vector of outputs.</summary>
    /// <param name="target">C.</param>
    /// <param name="output">The vector's first output, a multiple of its lanes; may lie past the last.</param>
    /// <param name="firstToken">The token that <see cref="Write"/> calls 0.</param>
    /// <param name="isFirst">Whether the target holds nothing yet.</param>
    /// <param name="center">Whether words leave in ±(q−1)/2.</param>
    public VectorTarget(in WordMatrix target, int output, int firstToken, bool isFirst, bool center)
    {
        var block = output / FeatureBlocks.Width;
        var lane = output % FeatureBlocks.Width;
        _stride = target.Width(block);
        _valid = Math.Clamp(_stride - lane, 0, TVector.Lanes);
        _words = _valid > 0 ? target.At(block, firstToken) + lane : null;
        _isFirst = isFirst;
        _center = center;
    }

    /// <summary>Adds and writes one token's sums, which lie in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int token, TVector sum)
    {
        var words = _words + ((long)token * _stride);
        if (_valid == TVector.Lanes)
        {
            TVector.Store(Finish(_isFirst ? sum : TVector.AddModular(sum, TVector.Load(words))), words);
        }
        else if (_valid > 0)
        {
            WriteNarrow(words, sum);
        }
    }

    private void WriteNarrow(int* words, TVector sum)
    {
        var lanes = stackalloc int[FeatureBlocks.Width];
        var narrow = new Span<int>(lanes, _valid);
        var target = new Span<int>(words, _valid);
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
