namespace LoraFhe.Benchmarks;

/// <summary>What a process that runs training steps is told.</summary>
/// <param name="Model">The model.</param>
/// <param name="Batch">Texts a step.</param>
/// <param name="Tokens">Tokens a step, all texts together.</param>
/// <param name="Threads">Of libtorch, and of each half of the encrypted product.</param>
/// <param name="Seconds">Time given to rounds, once the first is over.</param>
/// <param name="Modes">What is run in turn, by Python's names.</param>
/// <param name="Remote">Whether execute's server is another process, reached over TLS on the loopback interface.</param>
internal sealed record StepPlan(StepModel Model, int Batch, int Tokens, int Threads, double Seconds, IReadOnlyList<string> Modes, bool Remote = false)
{
    /// <summary>Tokens of a text.</summary>
    public int Length => Tokens / Batch;
}
