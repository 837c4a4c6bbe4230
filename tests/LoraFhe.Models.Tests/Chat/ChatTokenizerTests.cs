using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>A tokenizer that encodes conversations.</summary>
public sealed class ChatTokenizerTests
{
    private const string Template = "{{ bos_token }}{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

    [Fact]
    public void The_text_is_encoded_and_no_special_token_is_added_twice()
    {
        PretrainedTokenizer tokenizer = TinyAusten(Template);
        IReadOnlyList<int> ids = tokenizer.EncodeChat(Jinja.Greeting, addGenerationPrompt: true);

        Assert.Equal("<|begin_of_text|>user: Hi.\nassistant: Yes?\nassistant:", tokenizer.ApplyChatTemplate(Jinja.Greeting, addGenerationPrompt: true));
        Assert.Equal("<|begin_of_text|>user: Hi.\nassistant: Yes?\nassistant:", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Equal(1, ids.Count(id => id == tokenizer.BosTokenId));
    }

    [Fact]
    public void Without_a_generation_prompt_the_text_ends_with_the_last_message() =>
        Assert.Equal("<|begin_of_text|>user: Hi.\nassistant: Yes?\n", TinyAusten(Template).ApplyChatTemplate(Jinja.Greeting));

    [Fact]
    public void A_folder_whose_template_is_not_supported_has_a_tokenizer_all_the_same()
    {
        PretrainedTokenizer tokenizer = TinyAusten("{% extends 'base' %}");

        Assert.NotEmpty(tokenizer.Encode("Emma"));
        Assert.EndsWith("the statement 'extends' is not supported.", Refusal(tokenizer), StringComparison.Ordinal);
        Assert.Equal(Refusal(tokenizer), Refusal(tokenizer));
    }

    [Fact]
    public void A_folder_without_a_template_has_a_tokenizer_all_the_same()
    {
        var tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

        Assert.StartsWith("There is no chat template in", Refusal(tokenizer), StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_must_be_there()
    {
        PretrainedTokenizer tokenizer = TinyAusten(Template);

        Assert.Throws<ArgumentNullException>("messages", () => tokenizer.ApplyChatTemplate(null!));
        Assert.Throws<ArgumentException>("messages", () => tokenizer.EncodeChat([]));
        Assert.Throws<ArgumentException>("messages", () => tokenizer.EncodeChat([new ChatMessage("user", null!)]));
        Assert.Throws<ArgumentException>("messages", () => tokenizer.EncodeChat([new ChatMessage(null!, "Hi.")]));
        Assert.Throws<ArgumentException>("messages", () => tokenizer.EncodeChat([null!]));
    }

    // The folder is gone when the template is used.
    private static PretrainedTokenizer TinyAusten(string template) => TokenizerJson.Load(
        TokenizerJson.TinyAusten(), new System.Text.Json.Nodes.JsonObject { ["bos_token"] = "<|begin_of_text|>", ["chat_template"] = template }.ToJsonString());

    private static string Refusal(PretrainedTokenizer tokenizer) => Assert.Throws<InvalidDataException>(() => tokenizer.ApplyChatTemplate(Jinja.Greeting)).Message;
}
