namespace LoraFhe.Models.Tests;

/// <summary>Renders templates written in a test.</summary>
internal static class Jinja
{
    /// <summary>What errors call the template's file.</summary>
    public const string File = "chat_template.jinja";

    /// <summary>A conversation of two messages.</summary>
    public static IReadOnlyList<ChatMessage> Greeting { get; } = [new("user", "Hi."), new("assistant", "Yes?")];

    /// <summary>The text that a template makes of a conversation; of <see cref="Greeting"/> if none is given.</summary>
    public static string Render(string template, IReadOnlyList<ChatMessage>? messages = null, bool addGenerationPrompt = false, TimeProvider? clock = null) =>
        ChatTemplate.Parse(new ChatTemplateSource(File, template, SpecialTokens), clock ?? TimeProvider.System).Render(messages ?? Greeting, addGenerationPrompt);

    /// <summary>The error that a template ends with, without the file and the line.</summary>
    public static string Refusal(string template, int line = 1)
    {
        string text = Assert.Throws<InvalidDataException>(() => Render(template)).Message;
        string place = $"{File}, line {line} of the chat template: ";
        Assert.StartsWith(place, text, StringComparison.Ordinal);
        return text[place.Length..];
    }

    private static Dictionary<string, string> SpecialTokens => new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };
}
