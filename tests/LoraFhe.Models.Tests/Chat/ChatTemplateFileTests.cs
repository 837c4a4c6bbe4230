using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Where a folder's template and its special tokens come from.</summary>
public sealed class ChatTemplateFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_template_is_that_of_the_tokenizers_configuration()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": "{{ bos_token }}{{ messages[0].content }}", "bos_token": "<s>" }""");

        Assert.Equal("<s>Hi.", Render());
    }

    [Fact]
    public void Of_several_templates_the_one_named_default_is_taken()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": [{ "name": "tool_use", "template": "tools" }, { "name": "default", "template": "plain" }] }""");

        Assert.Equal("plain", Render());
    }

    [Fact]
    public void Several_templates_without_a_default_are_refused_by_their_names()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": [{ "name": "tool_use", "template": "a" }, { "name": "rag", "template": "b" }] }""");

        Assert.Equal(
            "tokenizer_config.json: 'chat_template' has no template named 'default'; it has 'tool_use', 'rag'. Write the one you want to chat_template.jinja.", Refusal());
    }

    [Fact]
    public void A_file_of_its_own_goes_before_the_configuration()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": "old", "eos_token": "</s>" }""");
        _folder.Write("chat_template.jinja", "new{{ eos_token }}\n");

        Assert.Equal("new</s>", Render());
    }

    [Fact]
    public void Special_tokens_may_be_objects_and_stand_in_either_file()
    {
        _folder.Write("chat_template.jinja", "{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token }}");
        _folder.Write("tokenizer_config.json", """{ "bos_token": { "content": "<a>", "special": true }, "eos_token": null }""");
        _folder.Write("special_tokens_map.json", """{ "bos_token": "<b>", "eos_token": "<e>", "unk_token": { "content": "<u>" } }""");

        Assert.Equal("<a><e><u>", Render());
    }

    [Fact]
    public void A_folder_without_a_template_is_refused()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": null }""");

        Assert.StartsWith($"There is no chat template in '{_folder.Path}'", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_that_is_no_text_is_refused_by_its_key()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": 5 }""");

        Assert.Equal("tokenizer_config.json: 'chat_template' is not a string.", Refusal());
    }

    [Fact]
    public void An_error_names_the_key_the_line_and_the_construct()
    {
        _folder.Write("tokenizer_config.json", """{ "chat_template": [{ "name": "default", "template": "a\n{% include 'b' %}" }] }""");

        Assert.Equal("tokenizer_config.json, 'chat_template[0].template', line 2 of the chat template: the statement 'include' is not supported.", Refusal());
    }

    [Fact]
    public void A_template_that_is_not_UTF8_is_refused()
    {
        File.WriteAllBytes(Path.Combine(_folder.Path, "chat_template.jinja"), [0x61, 0xff]);

        Assert.Equal("chat_template.jinja: not valid UTF-8. Save it as UTF-8.", Refusal());
    }

    [Theory]
    [InlineData(1 << 21)]
    [InlineData(1 << 23)]
    public void A_template_that_is_too_long_is_refused(int length)
    {
        _folder.Write("chat_template.jinja", new string('a', length));

        Assert.Equal($"chat_template.jinja: the chat template is {length} characters long; at most 1048576 are read.", Refusal());
    }

    private string Render() => ChatTemplate.FromPretrained(_folder.Path).Render(Jinja.Greeting);

    private string Refusal() => Assert.Throws<InvalidDataException>(Render).Message;
}
