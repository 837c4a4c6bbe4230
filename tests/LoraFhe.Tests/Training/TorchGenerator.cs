namespace LoraFhe.Tests.Training;

/// <summary>Tests that seed or read torch's generator, which a process has only one of, run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchGenerator
{
    public const string Name = "torch's generator";
}
