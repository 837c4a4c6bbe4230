using LoraFhe.Fixtures;

namespace LoraFhe.Tools.Soak;

/// <summary>A recorded greedy continuation.</summary>
internal sealed class RecordedText(GoldenJson text)
{
    public string Prompt { get; } = text["prompt"].AsString;

    public int[] PromptIds { get; } = text["prompt_ids"].AsInt32s;

    /// <summary>The new tokens, the one that ended the text included.</summary>
    public int[] Ids { get; } = text["new_ids"].AsInt32s;

    public string Text { get; } = text["text"].AsString;
}
