namespace LoraFhe;

/// <summary>How one adapter acts on one layer.</summary>
/// <param name="R">The rank r: rows of A, columns of B.</param>
/// <param name="LoraAlpha">α.</param>
/// <param name="Scaling">s, what the adapter's output is multiplied by: α/r or α/√r.</param>
/// <param name="LoraDropout">The probability with which an element of the adapter's input is dropped in training, in [0, 1).</param>
/// <param name="UseDora">Whether the outputs of W + s·B·A are given trained norms (DoRA).</param>
public sealed record LayerAdapter(int R, double LoraAlpha, double Scaling, double LoraDropout, bool UseDora);
