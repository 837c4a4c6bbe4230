using System.Collections;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>Counts in steps instead of passes over the text: an epoch here is a few steps, after which the trainer writes a checkpoint.</summary>
internal sealed class StepLoader : IEpochLoader
{
    private readonly IEpochLoader _inner;
    private readonly int _innerSteps;
    private readonly int _total;
    private readonly int _stepsPerEpoch;
    private int _first;

    /// <param name="inner">The shuffled text; its length is known.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="stepsPerEpoch">Steps between two checkpoints.</param>
    public StepLoader(IEpochLoader inner, int total, int stepsPerEpoch)
    {
        _inner = inner;
        _innerSteps = inner.Count ?? throw new ArgumentException("The loader's length must be known.", nameof(inner));
        _total = total;
        _stepsPerEpoch = Math.Min(stepsPerEpoch, total);
    }

    public int Epochs => (_total + _stepsPerEpoch - 1) / _stepsPerEpoch;

    public int? Count => Math.Min(_stepsPerEpoch, _total - _first);

    public void SetEpoch(int epoch) => _first = (epoch - 1) * _stepsPerEpoch;

    public IEnumerator<Batch> GetEnumerator()
    {
        var (next, end) = (_first, Math.Min(_total, _first + _stepsPerEpoch));
        while (next < end)
        {
            _inner.SetEpoch(1 + (next / _innerSteps));
            var skip = next % _innerSteps;
            foreach (var batch in _inner)
            {
                if (skip-- > 0)
                {
                    batch.Dispose();
                    continue;
                }

                yield return batch;
                if (++next == end)
                {
                    yield break;
                }
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
