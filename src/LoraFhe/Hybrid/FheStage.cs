namespace LoraFhe;

/// <summary>What a compilation, or making its backend ready, is doing.</summary>
public enum FheStage
{
    /// <summary>Turning float weights into integers, a layer at a time.</summary>
    Quantize = 0,

    /// <summary>Running the model once on the calibration batch.</summary>
    Calibrate,

    /// <summary>Making a backend ready for execute, a product at a time: hints, evaluators.</summary>
    Prepare,
}
