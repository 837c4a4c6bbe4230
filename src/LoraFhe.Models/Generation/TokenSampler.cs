namespace LoraFhe.Models;

/// <summary>Chooses a token from logits, in the order of Hugging Face's processors: repetition, temperature, top k, top p, draw.</summary>
/// <remarks>One a row: it has its own stream of random numbers and reuses its memory.</remarks>
internal sealed class TokenSampler
{
    private readonly GenerationOptions _options;
    private readonly Random _random;
    private readonly double[] _weights;
    private readonly int[] _order;

    /// <param name="options">Checked options.</param>
    /// <param name="row">Which of several prompts: each draws from a stream of its own, whatever the others do.</param>
    /// <param name="vocabularySize">Length of the logits.</param>
    public TokenSampler(GenerationOptions options, int row, int vocabularySize)
    {
        _options = options;
        _random = new Random(unchecked(options.Seed + (row * 0x3779_97F5)));
        _weights = new double[vocabularySize];
        _order = new int[vocabularySize];
    }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">One value a token; changed where a repetition penalty is set.</param>
    /// <param name="text">The text so far.</param>
    public int Choose(Span<float> logits, IReadOnlyList<int> text)
    {
        if (_options.RepetitionPenalty != 1)
        {
            PenalizeRepetition(logits, text);
        }

        return _options.Temperature == 0 ? Likeliest(logits) : Draw(logits);
    }

    private void PenalizeRepetition(Span<float> logits, IReadOnlyList<int> text)
    {
        var penalty = (float)_options.RepetitionPenalty;
        foreach (var id in text.Distinct())
        {
            logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
        }
    }

    // The first of equals, as torch's argmax.
    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var id = 1; id < logits.Length; id++)
        {
            if (logits[id] > logits[best])
            {
                best = id;
            }
        }

        return best;
    }

    private int Draw(ReadOnlySpan<float> logits)
    {
        Rank(logits);
        var count = Kept(logits);
        var mark = _random.NextDouble() * Sum(count);
        for (var rank = 0; rank < count - 1; rank++)
        {
            mark -= _weights[rank];
            if (mark < 0)
            {
                return _order[rank];
            }
        }

        return _order[count - 1];
    }

    // Sorts ids from likeliest to least likely, equals by id, and gives each rank its unnormalized probability.
    private void Rank(ReadOnlySpan<float> logits)
    {
        for (var id = 0; id < logits.Length; id++)
        {
            (_order[id], _weights[id]) = (id, -logits[id]);
        }

        Array.Sort(_weights, _order);
        var best = -_weights[0];
        for (int start = 0, rank = 1; rank <= _weights.Length; rank++)
        {
            if (rank == _weights.Length || _weights[rank] != _weights[start])
            {
                Array.Sort(_order, start, rank - start);
                start = rank;
            }
        }

        for (var rank = 0; rank < _weights.Length; rank++)
        {
            _weights[rank] = Math.Exp((-_weights[rank] - best) / _options.Temperature);
        }
    }

    private int Kept(ReadOnlySpan<float> logits)
    {
        var count = logits.Length;
        if (_options.TopK > 0 && _options.TopK < count)
        {
            var last = logits[_order[_options.TopK - 1]];
            count = _options.TopK;
            while (count < logits.Length && logits[_order[count]] == last)
            {
                count++;
            }
        }

        if (_options.TopP < 1)
        {
            var needed = _options.TopP * Sum(count);
            var above = 0.0;
            for (var rank = 0; rank < count; rank++)
            {
                if (above >= needed)
                {
                    return rank;
                }

                above += _weights[rank];
            }
        }

        return count;
    }

    private double Sum(int count)
    {
        var sum = 0.0;
        for (var rank = 0; rank < count; rank++)
        {
            sum += _weights[rank];
        }

        return sum;
    }
}
