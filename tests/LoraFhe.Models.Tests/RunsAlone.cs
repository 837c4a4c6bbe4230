namespace LoraFhe.Models.Tests;

/// <summary>Tests that watch what the whole process shares, so that no other may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "Alone";
}
