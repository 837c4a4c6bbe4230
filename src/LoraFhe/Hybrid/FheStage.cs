namespace LoraFhe;

/// <summary>What a compilation is doing.</summary>
public enum FheStage
{
    /// <summary>Turning float weights into integers, a layer at a time.</summary>
    Quantize = 0,

    /// <summary>Running the model once on the calibration batch.</summary>
    Calibrate,

    /// <summary>Making a backend ready, a product at a time: hints, evaluators.</summary>
    Prepare,
}
