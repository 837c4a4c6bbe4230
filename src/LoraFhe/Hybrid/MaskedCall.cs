using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>What a mask is for.</summary>
/// <param name="Client">The product's client.</param>
/// <param name="Tokens">The call's rows.</param>
internal readonly record struct MaskedCall(EncryptedLinearClient Client, int Tokens);
