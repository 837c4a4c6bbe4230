using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What training changes in a model: trainable parameters and running statistics. Frozen weights are not part of it.</summary>
internal static class ModelState
{
    private static readonly string[] RunningStatistics = ["running_mean", "running_var", "num_batches_tracked"];

    /// <summary>Copies it out.</summary>
    public static IReadOnlyList<SafetensorsTensor> Capture(nn.Module model) =>
        [.. Of(model).Select(entry => StoredTensor.Of(entry.Name, entry.Tensor))];

    /// <summary>The name of a tensor of it that has a value which is not finite; null if there is none.</summary>
    public static string? NotFinite(nn.Module model)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in Of(model))
        {
            if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>())
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>Checks that stored tensors are exactly this model's.</summary>
    /// <exception cref="InvalidDataException">One is missing, too many, or of another shape or type; the message names it and the file.</exception>
    public static void Check(nn.Module model, IReadOnlyList<SafetensorsTensor> stored, string path)
    {
        var byName = stored.ToDictionary(tensor => tensor.Name);
        foreach (var (name, tensor) in Of(model))
        {
            if (!byName.Remove(name, out var found))
            {
                throw new InvalidDataException(Errors.CheckpointLacks(path, name));
            }

            if (!found.Shape.SequenceEqual(tensor.shape) || found.DType != StoredTensor.DTypeOf(name, tensor.dtype))
            {
                throw new InvalidDataException(Errors.CheckpointShape(path, name, found.Shape, tensor.shape));
            }
        }

        if (byName.Keys.FirstOrDefault() is { } unknown)
        {
            throw new InvalidDataException(Errors.CheckpointHasMore(path, unknown));
        }
    }

    /// <summary>Copies it in, in place: the optimizer's references stay good. <see cref="Check"/> was called before.</summary>
    public static void Restore(nn.Module model, IReadOnlyList<SafetensorsTensor> stored)
    {
        var byName = stored.ToDictionary(tensor => tensor.Name);
        foreach (var (name, tensor) in Of(model))
        {
            StoredTensor.Load(tensor, byName[name].Data.Span);
        }
    }

    /// <summary>The running statistics: what a forward pass alone changes.</summary>
    public static IEnumerable<(string Name, Tensor Tensor)> Statistics(nn.Module model) => model.named_buffers()
        .Where(entry => RunningStatistics.Contains(entry.name[(entry.name.LastIndexOf('.') + 1)..]))
        .Select(entry => (entry.name, entry.buffer));

    private static IEnumerable<(string Name, Tensor Tensor)> Of(nn.Module model) =>
        new TrainableParameters(model).All.Select(entry => (ClientTensors.NameOf(entry.Name), (Tensor)entry.Parameter)).Concat(Statistics(model));
}
