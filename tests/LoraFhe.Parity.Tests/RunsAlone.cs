namespace LoraFhe.Parity.Tests;

/// <summary>Tests that need all the memory or all the processors there are, so that no other may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "Alone";
}
