namespace LoraFhe.Cryptography;

/// <summary>The first of some kernels that passed its check, and those before it, which did not: this machine miscomputes them.</summary>
/// <param name="Kernel">The one that is used.</param>
/// <param name="Rejected">The names of those that failed, in the order of preference; empty on a sound machine.</param>
/// <typeparam name="TKernel">What is chosen from.</typeparam>
internal sealed record KernelChoice<TKernel>(TKernel Kernel, IReadOnlyList<string> Rejected)
    where TKernel : class
{
    /// <summary>Tries kernels in their order until one passes.</summary>
    /// <param name="candidates">The preferred one first.</param>
    /// <param name="name">How a kernel is called.</param>
    /// <param name="passes">Whether it computes rightly here.</param>
    /// <returns>The choice; null if none passes.</returns>
    public static KernelChoice<TKernel>? First(IEnumerable<TKernel> candidates, Func<TKernel, string> name, Func<TKernel, bool> passes)
    {
        var rejected = new List<string>();
        foreach (var candidate in candidates)
        {
            if (passes(candidate))
            {
                return new(candidate, rejected);
            }

            rejected.Add(name(candidate));
        }

        return null;
    }
}
