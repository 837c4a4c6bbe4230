using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>How much each loss weighs: what it is divided by, times what the summed gradient is multiplied by.</summary>
public sealed class AccumulationWindowTests
{
    // Two rows of four: 5 labels count, 4 of them after the first position; and one row of three with 2, 1 after it.
    private static readonly long[][,] Labels = [new long[,] { { 7, 1, -100, 2 }, { -100, 3, 4, -100 } }, new long[,] { { 5, 6, -100 } }];

    [Theory]
    [InlineData(LossScaling.Full, 1.0 / 4, 1.0 / 4)]
    [InlineData(LossScaling.Window, 1.0 / 2, 1.0 / 2)]
    [InlineData(LossScaling.Tokens, 4.0 / 5, 1.0 / 5)]
    [InlineData(LossScaling.TokensUnshifted, 4.0 / 7, 1.0 / 7)]
    public void A_short_window_weighs_its_losses_as_the_scaling_says(LossScaling scaling, double first, double second)
    {
        var window = new AccumulationWindow(new TrainingArguments { GradientAccumulationSteps = 4, LossScaling = scaling });
        var divisors = Labels.Select(labels =>
        {
            using Batch batch = (ones(1), tensor(labels));
            return window.Add(batch);
        }).ToList();
        Assert.Equal(2, window.Count);
        Assert.False(window.IsFull);
        var factor = window.Close().Factor;
        Assert.Equal(first, factor / divisors[0], 1e-12);
        Assert.Equal(second, factor / divisors[1], 1e-12);
        Assert.Equal(0, window.Count);
    }

    [Theory]
    [InlineData(LossScaling.Full, (2.0 + 3.0) / 4)]
    [InlineData(LossScaling.Window, (2.0 + 3.0) / 2)]
    [InlineData(LossScaling.Tokens, ((4 * 2.0) + 3.0) / 5)]
    [InlineData(LossScaling.TokensUnshifted, ((4 * 2.0) + 3.0) / 7)]
    public void Its_loss_is_what_was_made_smaller(LossScaling scaling, double loss)
    {
        var window = new AccumulationWindow(new TrainingArguments { GradientAccumulationSteps = 4, LossScaling = scaling });
        for (var epoch = 0; epoch < 2; epoch++)
        {
            foreach (var (labels, mean) in Labels.Zip([2.0, 3.0]))
            {
                using Batch batch = (ones(1), tensor(labels));
                window.Add(batch);
                window.AddLoss(mean);
            }

            Assert.Equal(loss, window.Close().Loss, 1e-12);
        }
    }

    [Fact]
    public void A_full_window_needs_no_correction()
    {
        var window = new AccumulationWindow(new TrainingArguments { GradientAccumulationSteps = 3 });
        using Batch batch = (ones(1), null);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(3.0, window.Add(batch));
        }

        Assert.True(window.IsFull);
        Assert.Equal(1.0, window.Close().Factor);
    }

    [Fact]
    public void Tokens_cannot_be_counted_where_there_are_none()
    {
        var window = new AccumulationWindow(new TrainingArguments { LossScaling = LossScaling.Tokens });
        using Batch unlabeled = (ones(1), null);
        Assert.Contains("'labels'", Assert.Throws<ArgumentException>(() => window.Add(unlabeled)).Message, StringComparison.Ordinal);
        using Batch ignored = (ones(1), tensor(new long[,] { { 1, -100 } }));
        Assert.Contains("no label that the loss compares with", Assert.Throws<ArgumentException>(() => window.Add(ignored)).Message, StringComparison.Ordinal);
        Assert.Equal(0, window.Count);
    }
}
