namespace LoraFhe;

/// <summary>A module whose backward pass may keep an exception.</summary>
internal interface IBackwardFaultSource
{
    /// <summary>Where it is kept; the layers of one <see cref="HybridFheModel"/> share one, so that after a fault none of them sends anything.</summary>
    BackwardFault Fault { get; set; }
}
