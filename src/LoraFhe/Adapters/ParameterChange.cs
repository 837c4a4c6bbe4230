using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>How merging an adapter changes one parameter of its base layer: a sum, and with DoRA a product afterwards.</summary>
/// <param name="Parameter">The parameter's name in the base layer.</param>
/// <param name="Sum">What is added: of the parameter's shape, in the adapter's type.</param>
/// <param name="Factor">From the sum, before it is rounded, what it is multiplied by; null: nothing.</param>
internal sealed record ParameterChange(string Parameter, Func<Tensor> Sum, Func<Tensor, Tensor>? Factor = null)
{
    /// <summary>Changes a tensor of the parameter's shape, in place.</summary>
    /// <param name="value">The parameter, or a copy.</param>
    /// <param name="rounded">Whether a mere sum is rounded to the parameter's type first, as peft's safe merge does.</param>
    /// <returns>What it was multiplied by, in the caller's dispose scope; null: nothing.</returns>
    public Tensor? Apply(Tensor value, bool rounded)
    {
        if (Factor is null)
        {
            value.add_(rounded ? Sum().to(value.dtype) : Sum());
            return null;
        }

        var sum = value + Sum();
        var factor = Factor(sum);
        value.copy_(factor * sum);
        return factor;
    }

    /// <summary>Takes the change back, in place.</summary>
    /// <param name="value">The parameter.</param>
    /// <param name="factor">What <see cref="Apply"/> returned.</param>
    public void TakeBack(Tensor value, Tensor? factor)
    {
        if (factor is null)
        {
            value.sub_(Sum().to(value.dtype));
        }
        else
        {
            value.copy_(value / factor.to(value.device) - Sum());
        }
    }
}
