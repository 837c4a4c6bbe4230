namespace LoraFhe.Cryptography.Client;

/// <summary>Tokens that share one one-time secret: coefficient t of the ring is the group's token t.</summary>
/// <param name="First">The first token.</param>
/// <param name="Tokens">How many; at most the ring degree. Unused coefficients are not sent.</param>
/// <param name="Degree">r.</param>
internal readonly record struct TokenGroup(int First, int Tokens, int Degree)
{
    /// <summary>Cuts a call's tokens: as many groups of 512 as fit, and one for the rest in the smallest ring that holds it.</summary>
    /// <remarks>A group costs one pass over the public matrix whatever its degree: a rest is dearer cut in two than padded. Encryption and decryption of
    /// 129 to 448 tokens as one padded group against two that fit better, 576→1536 and 1536→576 on Zen 4: two took 1.01 to 1.75 times as long.</remarks>
    public static TokenGroup[] Cut(int tokens)
    {
        const int largest = EncryptedLinearParameters.MaxRingDegree;
        var groups = new TokenGroup[((tokens - 1) / largest) + 1];
        for (var g = 0; g < groups.Length; g++)
        {
            var count = Math.Min(largest, tokens - (g * largest));
            var degree = EncryptedLinearParameters.MinRingDegree;
            while (degree < count)
            {
                degree *= 2;
            }

            groups[g] = new TokenGroup(g * largest, count, degree);
        }

        return groups;
    }
}
