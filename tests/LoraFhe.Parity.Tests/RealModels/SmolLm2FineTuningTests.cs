using LoraFhe.Tools.Soak;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>The LoRA fine-tuning of SmolLM2-135M-Instruct, unpacked from a 4-bit file, on Proverbs that peft recorded, from its initial adapter and batches.</summary>
public sealed class SmolLm2FineTuningTests
{
    // All 30 in every mode take five minutes: tools/soak runs them.
    private const int QuantizedSteps = 4;

    [RealModelFact]
    public void Torch_mode_repeats_all_recorded_steps()
    {
        using var recorded = RecordedRun.SmolLm2(TestModels.Folder);

        Assert.Equal(30, recorded.Losses.Count);
        FineTuning.AssertTorchRepeats(recorded, lossTolerance: 1e-3, perplexityTolerance: 5e-3);
    }

    [RealModelFact]
    public void Execute_stays_as_close_to_torch_as_disable_does()
    {
        using var recorded = RecordedRun.SmolLm2(TestModels.Folder);

        FineTuning.AssertExecuteIsAsCloseAsDisable(recorded, QuantizedSteps);
    }
}
