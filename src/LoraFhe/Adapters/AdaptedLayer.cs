namespace LoraFhe;

/// <summary>A layer of a model that has adapters.</summary>
/// <param name="Name">Its dotted name in the user's model: <c>layers.0.self_attn.q_proj</c>.</param>
/// <param name="Layer">The layer with its adapters; it belongs to the model.</param>
public readonly record struct AdaptedLayer(string Name, LoraLayer Layer);
