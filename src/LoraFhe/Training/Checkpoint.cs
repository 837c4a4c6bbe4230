using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>Everything a run needs to go on exactly where it was, and nothing that can be had from elsewhere: no frozen weight.</summary>
internal sealed record Checkpoint
{
    public required TrainingPosition Position { get; init; }

    /// <summary>Updates the schedule has seen.</summary>
    public required int ScheduleSteps { get; init; }

    /// <summary>Adapters, other trainable parameters and running statistics, by their names below the inference model.</summary>
    public required IReadOnlyList<SafetensorsTensor> Model { get; init; }

    /// <summary>The optimizer's state in TorchSharp's own form, which begins with the optimizer's name.</summary>
    public required byte[] Optimizer { get; init; }

    /// <summary>Torch's generator at the position, and at the beginning of the epoch under way.</summary>
    public required byte[] RandomState { get; init; }

    public required byte[] EpochRandomState { get; init; }

    /// <summary>What seeds the errors of simulate, and how many products have drawn them.</summary>
    public required long SimulationSeed { get; init; }

    public required long SimulationPosition { get; init; }

    public required double[] TrainingLosses { get; init; }

    public required IReadOnlyDictionary<string, double[]> GradientStats { get; init; }
}
