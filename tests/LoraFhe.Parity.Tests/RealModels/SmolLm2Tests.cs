using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.RealModels;

public sealed class SmolLm2Tests
{
    [RealModelFact]
    public void Loads()
    {
        using var model = CausalLanguageModel.FromPretrained(TestModels.At("smollm2"));
        Assert.Equal(49152, model.VocabularySize);
    }
}
