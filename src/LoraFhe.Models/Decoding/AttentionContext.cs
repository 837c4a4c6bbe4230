using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>What all layers of one pass share.</summary>
/// <param name="Mask">Bool [batch or 1, 1, length, keys], true where a token may look; null where <paramref name="IsCausal"/> says it
/// all.</param>
/// <param name="IsCausal">Whether a token may look at those before it and at itself, and no mask is needed to say so.</param>
/// <param name="Cache">Keys and values of the tokens before; null where the pass is the whole text.</param>
/// <param name="Rotation">Of the tokens' positions; null for a family that does not rotate.</param>
internal sealed record AttentionContext(Tensor? Mask, bool IsCausal, KeyValueCache? Cache, Rotation? Rotation);
