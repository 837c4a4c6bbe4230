namespace LoraFhe;

/// <summary>One of the layers whose outputs a product gives, one after the other.</summary>
/// <param name="Name">The layer's name in the user's model.</param>
/// <param name="Index">Its place among them.</param>
/// <param name="First">Its first output.</param>
/// <param name="Count">How many outputs it has.</param>
internal sealed record LayerPart(string Name, int Index, int First, int Count);
