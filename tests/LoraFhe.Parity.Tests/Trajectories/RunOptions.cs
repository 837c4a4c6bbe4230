using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>What a run does otherwise than it was recorded.</summary>
internal sealed record RunOptions
{
    /// <summary>The type of all weights and data that are no integers.</summary>
    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>Null: the recorded one.</summary>
    public LossScaling? Scaling { get; init; }

    /// <summary>Whether the frozen weights are the recorded integers times their scales, as plain floats.</summary>
    public bool Dequantized { get; init; }

    /// <summary>Where checkpoints go; with them the optimizer is a plain one, and gradients are not looked at after clipping.</summary>
    public string? CheckpointDir { get; init; }

    /// <summary>Whether the head is quantized too.</summary>
    public bool IncludeLmHead { get; init; }
}
