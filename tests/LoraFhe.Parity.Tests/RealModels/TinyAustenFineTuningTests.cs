using LoraFhe.Tools.Soak;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>The LoRA fine-tuning of the shipped model on Proverbs that peft recorded, from its initial adapter and batches.</summary>
public sealed class TinyAustenFineTuningTests
{
    // All 150 in every mode take a minute: tools/soak runs them.
    private const int QuantizedSteps = 25;

    [Fact]
    public void Torch_mode_repeats_all_recorded_steps()
    {
        using var recorded = RecordedRun.TinyAusten();

        Assert.Equal(150, recorded.Losses.Count);
        FineTuning.AssertTorchRepeats(recorded, lossTolerance: 2e-5, perplexityTolerance: 1e-3);
    }

    [Fact]
    public void Execute_stays_as_close_to_torch_as_disable_does()
    {
        using var recorded = RecordedRun.TinyAusten();

        FineTuning.AssertExecuteIsAsCloseAsDisable(recorded, QuantizedSteps);
    }
}
