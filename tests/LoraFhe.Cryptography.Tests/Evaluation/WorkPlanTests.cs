using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class WorkPlanTests
{
    [Fact]
    public void Parts_cover_every_token_and_panel_once_and_stay_small() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int[1, 700], Gen.Int[1, 60], Gen.Int[1, 32]).Sample((inputs, tokens, panels, threads) =>
        {
            var plan = WorkPlan.For(inputs, tokens, panels, 16, threads);
            Assert.InRange(plan.Threads, 1, threads);
            var covered = new int[tokens, panels];
            for (var part = 0; part < plan.Parts; part++)
            {
                var (firstToken, tokenCount) = plan.TokensOf(part);
                var (firstPanel, panelCount) = plan.PanelsOf(part);
                Assert.InRange(tokenCount, 1, WorkPlan.MaxTokens);
                Assert.InRange(panelCount, 1, panels);
                for (var t = firstToken; t < firstToken + tokenCount; t++)
                {
                    for (var p = firstPanel; p < firstPanel + panelCount; p++)
                    {
                        covered[t, p]++;
                    }
                }
            }

            Assert.All(covered.Cast<int>(), count => Assert.Equal(1, count));
        });

    [Fact]
    public void A_small_product_stays_on_the_callers_thread() => Assert.Equal(1, WorkPlan.For(64, 8, 4, 16, 32).Threads);

    [Fact]
    public void A_large_product_uses_every_thread_even_for_one_token() => Assert.Equal(4, WorkPlan.For(8192, 1, 512, 16, 4).Threads);
}
