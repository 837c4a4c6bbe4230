using LoraFhe.Models;
using LoraFhe.Tools.Soak;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>Compares a greedy continuation with a recorded one.</summary>
internal static class SameText
{
    /// <summary>The prompt's ids, the new tokens and the text are the recorded ones.</summary>
    public static void Assert(RecordedText recorded, CausalLanguageModel model, PretrainedTokenizer tokenizer)
    {
        Xunit.Assert.Equal(recorded.PromptIds, tokenizer.Encode(recorded.Prompt));
        var options = new GenerationOptions { MaxNewTokens = recorded.Ids.Length };
        var ids = model.Generate(recorded.PromptIds, options, cancellationToken: TestContext.Current.CancellationToken);
        Xunit.Assert.Equal(recorded.Ids, ids);
        Xunit.Assert.Equal(recorded.Text, tokenizer.Decode(ids, skipSpecialTokens: false));
    }
}
