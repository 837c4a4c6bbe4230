namespace LoraFhe;

/// <summary>What an accumulation window came to.</summary>
/// <param name="Factor">What the summed gradient is to be multiplied by before it is used; exactly 1 for a full window that counts batches.</param>
/// <param name="Loss">The micro batches' losses as <see cref="LossScaling"/> weighs them.</param>
/// <param name="Logged">How many of its micro batches were logged.</param>
internal readonly record struct ClosedWindow(double Factor, double Loss, int Logged);
