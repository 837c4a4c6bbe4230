using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Watches a calibration batch for layers that are given the very same tensor, one after the other.</summary>
internal sealed class SharedInputs
{
    private readonly List<List<int>> _runs = [];
    private Tensor? _input;
    private long _version;

    /// <summary>Notes a layer's input.</summary>
    /// <param name="layer">The layer's place among the model's.</param>
    /// <param name="input">As the layer got it.</param>
    public void Note(int layer, Tensor input)
    {
        var version = TensorVersion.Of(input);
        if (!ReferenceEquals(input, _input) || version != _version)
        {
            _runs.Add([]);
            (_input, _version) = (input, version);
        }

        if (!_runs[^1].Contains(layer))
        {
            _runs[^1].Add(layer);
        }
    }

    /// <summary>Layers that shared their input each time that one of them was called, in the model's order; each layer at most once.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Groups()
    {
        var runOf = new Dictionary<int, List<int>>();
        var apart = new HashSet<int>();
        foreach (var run in _runs)
        {
            foreach (var layer in run)
            {
                if (runOf.TryGetValue(layer, out var before) && !before.SequenceEqual(run))
                {
                    apart.UnionWith(before.Concat(run));
                }

                runOf[layer] = run;
            }
        }

        return [.. runOf.Where(entry => entry.Key == entry.Value.Min() && !entry.Value.Exists(apart.Contains)).Select(entry => entry.Value.Order().ToList())];
    }
}
