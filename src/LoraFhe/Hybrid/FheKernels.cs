using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>What the two halves of the encrypted product compute with: the fastest kernel of each that passed its check on this machine.</summary>
/// <param name="Evaluation">The evaluating half's.</param>
/// <param name="Client">The client's.</param>
internal sealed record FheKernels(KernelChoice<IntegerGemm> Evaluation, KernelChoice<ClientKernel> Client)
{
    /// <summary>This process's, tried when they are first needed.</summary>
    /// <exception cref="InvalidOperationException">No kernel of a half passed.</exception>
    public static FheKernels OfThisProcess => new(GemmKernels.Choice, ClientKernels.Choice);

    /// <summary>Warns of each kernel that would have been preferred but failed.</summary>
    public void WarnOfRejected(ILogger logger)
    {
        Warn(logger, "evaluation", Evaluation.Rejected, Evaluation.Kernel.Name);
        Warn(logger, "client", Client.Rejected, Client.Kernel.Name);
    }

    private static void Warn(ILogger logger, string half, IReadOnlyList<string> rejected, string used)
    {
        foreach (var kernel in rejected)
        {
            Log.KernelRejected(logger, kernel, half, used);
        }
    }
}
