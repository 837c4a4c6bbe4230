namespace LoraFhe.Cryptography.Client;

/// <summary>Tokens that share one one-time secret: coefficient t of the ring is the group's token t.</summary>
/// <param name="First">The first token.</param>
/// <param name="Tokens">How many; at most the ring degree. Unused coefficients are not sent.</param>
/// <param name="Degree">r.</param>
internal readonly record struct TokenGroup(int First, int Tokens, int Degree)
{
    /// <summary>Cuts a call's tokens: as many groups of 512 as fit, and one for the rest in the smallest ring that holds it.</summary>
    /// <remarks>A group costs one pass over the public matrix whatever its degree, about what 1,000 coefficients cost: a rest is dearer cut in two than padded.</remarks>
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
