using LoraFhe.Cryptography;

namespace LoraFhe.Samples.OwnBackend;

/// <summary>Computes the products of frozen layers from their public integers, in the clear, and remembers what it was asked.</summary>
/// <remarks>
/// A backend is where encryption, a network or other hardware comes in; <see cref="InProcessFheBackend"/> encrypts here. Training knows
/// none of that: it hands over rows of floats and waits for rows of floats. Calls come one at a time, so nothing here needs a lock.
/// </remarks>
internal sealed class OwnBackend : IFheBackend
{
    private readonly Dictionary<string, QuantizedLayer> _layers = [];
    private readonly List<Call> _calls = [];

    /// <summary>One call: which product of which layer, how many rows, and the largest number in them.</summary>
    public readonly record struct Call(LayerId Layer, int Tokens, int Inputs, int Outputs, float Largest);

    /// <summary>Every call so far, in order.</summary>
    public IReadOnlyList<Call> Calls => _calls;

    /// <summary>What logs call this backend.</summary>
    public string Name => "own";

    /// <summary>What crossed so far: every backend counts its own, since only it knows what a call costs.</summary>
    public FheTraffic Traffic { get; private set; }

    /// <summary>Called before the first product, with all frozen layers. Ours keeps them; another makes keys here, or sends weights to a server.</summary>
    public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        _layers.Clear();
        foreach (var layer in layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _layers.Add(layer.Weights.Name, layer.Weights);
            progress?.Report(new FheProgress(FheStage.Prepare, layer.Weights.Name, _layers.Count, layers.Count));
        }
    }

    /// <summary>Called for each product of each step. A weight is code × scale, one scale an output channel, for both directions:
    /// forward <c>Y = X·Wᵀ</c>, and backward <c>dX = dY·W</c>, its exact adjoint. The bias is added by the caller.</summary>
    public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
    {
        var weights = _layers[layer.Name];
        var (inputs, outputs) = (weights.Inputs(layer.Direction), weights.Outputs(layer.Direction));
        destination.Clear(); // It comes with whatever was in that memory.
        for (var t = 0; t < tokens; t++)
        {
            var row = rows.Slice(t * inputs, inputs);
            var result = destination.Slice(t * outputs, outputs);
            for (var o = 0; o < weights.OutFeatures; o++)
            {
                for (var i = 0; i < weights.InFeatures; i++)
                {
                    var weight = weights.Codes[(o * weights.InFeatures) + i] * weights.Scales[o];
                    if (layer.Direction == LayerDirection.Forward)
                    {
                        result[o] += row[i] * weight;
                    }
                    else
                    {
                        result[i] += row[o] * weight;
                    }
                }
            }
        }

        _calls.Add(new Call(layer, tokens, inputs, outputs, Largest(rows)));
        Traffic += new FheTraffic
        {
            Calls = 1,
            BytesUp = (long)rows.Length * sizeof(float),
            BytesDown = (long)destination.Length * sizeof(float),
            ServerMultiplyAdds = (long)tokens * inputs * outputs,
        };
    }

    private static float Largest(ReadOnlySpan<float> rows)
    {
        var largest = 0f;
        foreach (var value in rows)
        {
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        return largest;
    }

    /// <summary>A backend that was given stays the caller's to dispose of. This one holds nothing.</summary>
    public void Dispose()
    {
    }
}
