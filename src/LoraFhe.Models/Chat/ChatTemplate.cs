namespace LoraFhe.Models;

/// <summary>
/// The chat template of a Hugging Face folder: turns messages into the text that the model was tuned on, as <c>tokenizer.apply_chat_template</c> does.
/// </summary>
/// <remarks>
/// A template is a program in Jinja. The part of Jinja that chat templates use is run here, with transformers' settings and its functions
/// <c>raise_exception</c> and <c>strftime_now</c>; anything else is refused by name rather than passed over. <c>tools</c> and <c>documents</c> are none.
/// A template that does not end or makes too much text is stopped. Thread-safe.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly ChatTemplateSource _source;
    private readonly IReadOnlyList<TemplateStatement> _statements;
    private readonly TimeProvider _clock;

    private ChatTemplate(ChatTemplateSource source, TimeProvider clock)
    {
        (_source, _clock) = (source, clock);
        _statements = TemplateParser.Parse(source.Name, source.Text);
    }

    /// <summary>
    /// Reads <c>chat_template.jinja</c>, or else <c>chat_template</c> of <c>tokenizer_config.json</c> (of several, the one named <c>default</c>), and the special
    /// tokens from <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>.
    /// </summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="clock">The clock of templates that write the date; the system's if null.</param>
    /// <exception cref="InvalidDataException">
    /// The folder has no template, a file is faulty, or the template has a statement that is not supported; the text names file, line and construct.
    /// </exception>
    public static ChatTemplate FromPretrained(string folder, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Parse(ChatTemplateSource.Read(folder), clock ?? TimeProvider.System);
    }

    /// <summary>Parses a template.</summary>
    internal static ChatTemplate Parse(ChatTemplateSource source, TimeProvider clock) => new(source, clock);

    /// <summary>Writes a conversation as the model expects it, special tokens included.</summary>
    /// <param name="messages">The conversation, oldest message first; at least one.</param>
    /// <param name="addGenerationPrompt">Whether the text ends with what begins an answer.</param>
    /// <returns>The text. To be encoded without special tokens, as the template writes them; <see cref="PretrainedTokenizer.EncodeChat"/> does that.</returns>
    /// <exception cref="ArgumentException">There is no message, or a part of one is null.</exception>
    /// <exception cref="InvalidDataException">
    /// The template refuses the conversation, uses what is not supported, is faulty, or does not end; the text names file, line and reason.
    /// </exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = false)
    {
        Check(messages);
        var run = new TemplateRun(_source.Name, _clock, messages.Count, messages.Sum(message => (long)message.Role.Length + message.Content.Length));
        return new TemplateInterpreter(run).Render(_statements, Variables(messages, addGenerationPrompt));
    }

    private static void Check(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (messages.Count == 0)
        {
            throw new ArgumentException(Errors.NoMessages, nameof(messages));
        }

        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i]?.Role is null || messages[i].Content is null)
            {
                throw new ArgumentException(Errors.NoMessagePart(i), nameof(messages));
            }
        }
    }

    private Dictionary<string, object?> Variables(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        var variables = _source.SpecialTokens.ToDictionary(token => token.Key, token => (object?)token.Value);
        variables["messages"] = TemplateSequence.List([.. messages.Select(Value)]);
        variables["add_generation_prompt"] = addGenerationPrompt;
        variables["tools"] = null;
        variables["documents"] = null;
        return variables;
    }

    private static TemplateDictionary Value(ChatMessage message) => new() { ["role"] = message.Role, ["content"] = message.Content };
}
