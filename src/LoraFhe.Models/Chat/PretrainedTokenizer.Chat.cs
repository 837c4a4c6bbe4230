namespace LoraFhe.Models;

public sealed partial class PretrainedTokenizer
{
    // Read when first needed: a folder without a template, or with one that is not supported, has a tokenizer all the same.
    private readonly Lazy<ChatTemplate> _chatTemplate;

    /// <summary>Writes a conversation as the folder's chat template has it, special tokens included; the folder is read again on the first call.</summary>
    /// <inheritdoc cref="ChatTemplate.Render" path="/param"/>
    /// <inheritdoc cref="ChatTemplate.Render" path="/exception"/>
    /// <returns>The text.</returns>
    public string ApplyChatTemplate(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = false) =>
        _chatTemplate.Value.Render(messages, addGenerationPrompt);

    /// <summary>
    /// Turns a conversation into ids: the text of <see cref="ApplyChatTemplate"/>, to which no special tokens are added, since the template writes them. A
    /// special token that a message spells out becomes its own id, as in Python: take it out of messages that you do not trust.
    /// </summary>
    /// <inheritdoc cref="ChatTemplate.Render" path="/param"/>
    /// <inheritdoc cref="ChatTemplate.Render" path="/exception"/>
    /// <returns>The ids.</returns>
    public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = false) =>
        Encode(ApplyChatTemplate(messages, addGenerationPrompt), addSpecialTokens: false);
}
