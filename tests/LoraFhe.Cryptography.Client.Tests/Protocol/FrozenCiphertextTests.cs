using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>Everything between a row and its ciphertext at once: no key derivation, stream, sampler, encoding, transform or layout changes unnoticed.</summary>
public sealed class FrozenCiphertextTests
{
    [Theory]
    [InlineData(3, "847996a3f7bc576f03e40df8f8f649ac613474bc066bb1b3e9c06efaaed07dd0", "1a8e3e9c3c341ff1d2efd2cf9941136cfec6971cdaedf79f4e09efe33bd6fe39")]
    [InlineData(600, "73bb3a556452d0e11d912d7e129c5dec88591b8a8ae6564c077bec7bb24ae418", "81716c3bd9f24b8d493b48f7560539e507d7fe64e7d9d2e2e6779c97b3d45308")]
    public void Chosen_randomness_gives_the_frozen_words(int tokens, string withAes, string withChaCha)
    {
        using var session = new Session(Layers.Random(7, 37, 8, 1), LayerDirection.Forward, insecureSeed: 2026);
        var random = new SplitMix(4);
        var rows = Enumerable.Range(0, tokens * 37).Select(_ => random.Between(-1000, 1000) / 256f).ToArray();
        using var call = session.Client.Encrypt(rows, tokens);
        var words = SHA256.HashData(call.Ciphertext.Bytes[MessageHeader.Size..]);
        Assert.Equal(SecretStream.HasAesInstructions ? withAes : withChaCha, Convert.ToHexStringLower(words));
    }
}
