using System.Collections;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>Counts in steps instead of passes over the text: an epoch here is a few steps, after which the trainer writes a checkpoint.</summary>
internal sealed class StepLoader : IEpochLoader
{
    private readonly IEpochLoader _inner;
    private readonly int _innerSteps;
    private readonly List<(int First, int End)> _epochs;
    private (int First, int End) _epoch;

    /// <param name="inner">The shuffled text; its length is known.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="stepsPerEpoch">Steps between two checkpoints.</param>
    /// <param name="finished">Earlier totals, at which the run was finished before it was given more steps: an epoch ended at each.</param>
    public StepLoader(IEpochLoader inner, int total, int stepsPerEpoch, IReadOnlyList<int> finished)
    {
        _inner = inner;
        _innerSteps = inner.Count ?? throw new ArgumentException("The loader's length must be known.", nameof(inner));
        _epochs = Cut(total, stepsPerEpoch, finished);
        _epoch = _epochs[0];
    }

    public int Epochs => _epochs.Count;

    public int? Count => _epoch.End - _epoch.First;

    /// <summary>The steps of each epoch.</summary>
    public static List<(int First, int End)> Cut(int total, int stepsPerEpoch, IReadOnlyList<int> finished)
    {
        var epochs = new List<(int, int)>();
        var done = 0;
        foreach (var end in finished.Append(total))
        {
            for (; done < end; done = epochs[^1].Item2)
            {
                epochs.Add((done, Math.Min(end, done + stepsPerEpoch)));
            }
        }

        return epochs;
    }

    public void SetEpoch(int epoch) => _epoch = _epochs[epoch - 1];

    public IEnumerator<Batch> GetEnumerator()
    {
        var (next, end) = _epoch;
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
