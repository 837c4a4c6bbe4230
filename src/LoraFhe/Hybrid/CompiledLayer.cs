namespace LoraFhe;

/// <summary>What one product computes.</summary>
/// <param name="Layer">It, as a backend gets it.</param>
/// <param name="Members">The model's layers that it computes, in the order of its parts.</param>
internal sealed record CompiledLayer(FheLayer Layer, IReadOnlyList<FrozenGroup> Members);
