using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>What all layers of one pass share.</summary>
/// <param name="Cosines">Of the tokens' positions: [1 or batch, 1, length, head width].</param>
/// <param name="Sines">As the cosines.</param>
/// <param name="Mask">Bool [batch or 1, 1, length, keys], true where a token may look; null where <paramref name="IsCausal"/> says it
/// all.</param>
/// <param name="IsCausal">Whether a token may look at those before it and at itself, and no mask is needed to say so.</param>
/// <param name="Cache">Keys and values of the tokens before; null where the pass is the whole text.</param>
internal sealed record AttentionContext(Tensor Cosines, Tensor Sines, Tensor? Mask, bool IsCausal, KeyValueCache? Cache);
