namespace LoraFhe.Models;

public sealed partial class PretrainedTokenizer
{
    private readonly Lazy<ChatTemplate> _chatTemplate;

    /// <summary>Writes a conversation as the folder's chat template has it, special tokens included.</summary>
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

    // A folder without a template, or with one that is not supported, has a tokenizer all the same: errors wait for the first use.
    private static Lazy<ChatTemplate> ReadChatTemplate(string folder)
    {
        try
        {
            ChatTemplateSource source = ChatTemplateSource.Read(folder);
            return new Lazy<ChatTemplate>(() => ChatTemplate.Parse(source, TimeProvider.System));
        }
        catch (InvalidDataException error)
        {
            return new Lazy<ChatTemplate>(() => throw new InvalidDataException(error.Message, error));
        }
    }
}
