using LoraFhe.Cryptography;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A user's own backend: the integers' product in clear, plainly; it can be told to fail.</summary>
internal sealed class ClearBackend : IFheBackend
{
    private readonly Dictionary<string, FheLayer> _layers = [];

    public List<LayerId> Calls { get; } = [];

    public Func<LayerId, Exception?> Fault { get; set; } = _ => null;

    public string Name => "clear";

    public FheTraffic Traffic => new() { Calls = Calls.Count };

    public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var layer in layers)
        {
            _layers[layer.Weights.Name] = layer;
        }
    }

    public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
    {
        Calls.Add(layer);
        if (Fault(layer) is { } exception)
        {
            throw exception;
        }

        var weights = _layers[layer.Name].Weights;
        var (inputs, outputs) = (weights.Inputs(layer.Direction), weights.Outputs(layer.Direction));
        for (var t = 0; t < tokens; t++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var sum = 0.0;
                for (var i = 0; i < inputs; i++)
                {
                    var (row, column) = layer.Direction == LayerDirection.Forward ? (o, i) : (i, o);
                    sum += (double)rows[(t * inputs) + i] * weights.Codes[(row * weights.InFeatures) + column] * weights.Scales[row];
                }

                destination[(t * outputs) + o] = (float)sum;
            }
        }
    }

    public void Dispose()
    {
    }
}
