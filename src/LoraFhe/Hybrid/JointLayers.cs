using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>Makes one product of the layers that share an input.</summary>
internal static class JointLayers
{
    /// <summary>The products of a calibrated model.</summary>
    /// <param name="layers">The model's layers.</param>
    /// <param name="calibrations">What calibration found of each.</param>
    /// <param name="groups">The places of those that share an input.</param>
    /// <param name="isDynamic">Whether each row gets a scale of its own.</param>
    /// <returns>In the order of the first layer of each.</returns>
    public static IReadOnlyList<CompiledLayer> Compile(
        IReadOnlyList<FrozenGroup> layers, IReadOnlyList<FrozenCalibration> calibrations, IReadOnlyList<IReadOnlyList<int>> groups, bool isDynamic)
    {
        var products = new List<(int First, CompiledLayer Product)>();
        var joint = new HashSet<int>();
        foreach (var group in groups.SelectMany(group => Alike(group, calibrations)).Where(group => group.Count > 1))
        {
            if (LayerStack.Of([.. group.Select(i => calibrations[i].Weights)]) is { } stack)
            {
                products.Add((group[0], Join(stack, [.. group.Select(i => layers[i])], [.. group.Select(i => calibrations[i])], isDynamic)));
                joint.UnionWith(group);
            }
        }

        for (var i = 0; i < layers.Count; i++)
        {
            if (!joint.Contains(i))
            {
                products.Add((i, Join(calibrations[i].Weights, [layers[i]], [calibrations[i]], isDynamic)));
            }
        }

        return [.. products.OrderBy(entry => entry.First).Select(entry => entry.Product)];
    }

    // One product has one number of bits, one binding, and is needed or not.
    private static IEnumerable<List<int>> Alike(IReadOnlyList<int> group, IReadOnlyList<FrozenCalibration> calibrations) => group
        .GroupBy(i => (calibrations[i].Weights.ModelId, calibrations[i].Weights.Bits, calibrations[i].NeedsBackward))
        .Select(alike => alike.ToList());

    private static CompiledLayer Join(
        QuantizedLayer weights, IReadOnlyList<FrozenGroup> members, IReadOnlyList<FrozenCalibration> calibrations, bool isDynamic)
    {
        // The rows are the same forward. Backward they stand side by side, and no such row is longer than the root of the longest ones' squares.
        var forward = calibrations.Max(calibration => calibration.ForwardNorm);
        var backward = Math.Sqrt(calibrations.Sum(calibration => calibration.BackwardNorm * calibration.BackwardNorm));
        return new CompiledLayer(
            new FheLayer(weights)
            {
                NeedsForward = calibrations.Any(calibration => calibration.NeedsForward),
                NeedsBackward = calibrations.Any(calibration => calibration.NeedsBackward),

                // A direction that saw zero rows only has no norm to give: each of its rows gets its own.
                ForwardNorm = isDynamic || forward == 0 ? null : forward,
                BackwardNorm = isDynamic || backward == 0 ? null : backward,
                Parts = LayerStack.Parts([.. calibrations.Select(calibration => calibration.Weights)]),
            },
            members);
    }
}
