namespace LoraFhe.Models.Tests;

/// <summary>What another value of an option does.</summary>
public enum OptionEffect
{
    /// <summary>It cannot be loaded: an error names the option.</summary>
    Refused,

    /// <summary>The parameters have other names or shapes.</summary>
    Parameters,

    /// <summary>The same parameters give other logits.</summary>
    Logits,

    /// <summary>Dropout in training, nothing otherwise.</summary>
    Training,

    /// <summary>The configuration tells it; what one text gives stays.</summary>
    Told,

    /// <summary>Nothing, in transformers' models of this class either.</summary>
    Nothing,
}
