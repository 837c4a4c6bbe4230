using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What a loss must be before anything is made of it.</summary>
internal static class TrainingLoss
{
    /// <summary>Checks a loss that a model or a loss function returned.</summary>
    /// <returns>The loss.</returns>
    /// <exception cref="InvalidOperationException">It is null, disposed of, no real scalar, or its graph is cut.</exception>
    /// <exception cref="NotFiniteNumberException">It is not finite.</exception>
    public static Tensor Check(Tensor? loss)
    {
        if (loss is null)
        {
            throw new InvalidOperationException(Errors.LossIsNull);
        }

        if (loss.IsInvalid)
        {
            throw new InvalidOperationException(Errors.LossIsDisposed);
        }

        if (loss.numel() != 1 || loss.is_complex())
        {
            throw new InvalidOperationException(Errors.LossIsNoScalar(loss.dtype.ToString(), loss.shape));
        }

        if (!loss.requires_grad)
        {
            throw new InvalidOperationException(Errors.GraphIsCut);
        }

        var value = loss.ToDouble();
        return double.IsFinite(value) ? loss : throw new NotFiniteNumberException(Errors.LossNotFinite(value), value);
    }
}
