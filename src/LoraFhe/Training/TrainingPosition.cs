using System.Text.Json.Serialization;

namespace LoraFhe;

/// <summary>How far training has come.</summary>
internal sealed record TrainingPosition
{
    /// <summary>Epochs that are complete.</summary>
    public int Epoch { get; init; }

    /// <summary>Batches of all epochs.</summary>
    public int GlobalStep { get; init; }

    /// <summary>Batches of the epoch under way.</summary>
    public int EpochStep { get; init; }

    /// <summary>The sum of their losses.</summary>
    public double EpochLoss { get; init; }

    /// <summary>The mean loss of the last complete epoch, if there is one.</summary>
    public double? LastAverage { get; init; }

    /// <summary>Whether training can stand here.</summary>
    [JsonIgnore]
    public bool IsPossible => Epoch >= 0 && EpochStep >= 0 && GlobalStep >= EpochStep;

    [JsonIgnore]
    public double AverageLoss => EpochLoss / EpochStep;

    /// <summary>One batch on.</summary>
    public TrainingPosition Step(double loss) =>
        this with { GlobalStep = GlobalStep + 1, EpochStep = EpochStep + 1, EpochLoss = EpochLoss + loss };

    /// <summary>One epoch on.</summary>
    public TrainingPosition EndEpoch() => this with { Epoch = Epoch + 1, EpochStep = 0, EpochLoss = 0, LastAverage = AverageLoss };
}
