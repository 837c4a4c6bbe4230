using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Encoding;

public sealed class TokenGroupTests
{
    [Fact]
    public void Groups_hold_every_token_once_in_order_in_rings_that_fit()
    {
        Gen.Int[1, 5000].Sample(static tokens =>
        {
            var next = 0;
            foreach (var group in TokenGroup.Cut(tokens))
            {
                Assert.Equal(next, group.First);
                Assert.Contains(group.Degree, (int[])[64, 128, 256, 512]);
                Assert.InRange(group.Tokens, 1, group.Degree);
                Assert.True(group.Degree == 64 || group.Tokens > group.Degree / 2);
                next += group.Tokens;
            }

            Assert.Equal(tokens, next);
        });
    }
}
