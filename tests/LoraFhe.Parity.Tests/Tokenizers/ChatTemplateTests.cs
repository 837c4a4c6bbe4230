using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>Text and ids of every recorded conversation, as <c>tokenizer.apply_chat_template</c> gives them.</summary>
public sealed class ChatTemplateTests
{
    public static TheoryData<string, int> Conversations => [.. Rows("smollm2"), .. Rows("llama3")];

    public static TheoryData<string, int> SmolLM2Conversations => [.. Rows("smollm2")];

    public static TheoryData<string, int> Llama3Conversations => [.. Rows("llama3")];

    [Theory]
    [MemberData(nameof(Conversations))]
    public void The_text_is_the_recorded_one(string model, int conversation)
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", File.ReadAllText(RepositoryFolder.Fixture("chat", model + ".jinja")));
        folder.Write("tokenizer_config.json", """{ "bos_token": "<|begin_of_text|>" }""");
        GoldenJson recorded = Recorded(model)[conversation];

        Assert.Equal(recorded["text"].AsString, ChatTemplate.FromPretrained(folder.Path).Render(Messages(recorded), HasPrompt(recorded)));
    }

    [RealModelTheory]
    [MemberData(nameof(SmolLM2Conversations))]
    public void Text_and_ids_with_the_models_own_folder_are_the_recorded_ones(string model, int conversation)
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load(model);
        GoldenJson recorded = Recorded(model)[conversation];

        Assert.Equal(recorded["text"].AsString, tokenizer.ApplyChatTemplate(Messages(recorded), HasPrompt(recorded)));
        Assert.Equal(recorded["ids"].AsInt32s, tokenizer.EncodeChat(Messages(recorded), HasPrompt(recorded)));
    }

    [RealModelTheory]
    [MemberData(nameof(Llama3Conversations))]
    public void The_ids_of_the_text_are_the_recorded_ones(string model, int conversation)
    {
        GoldenJson recorded = Recorded(model)[conversation];

        Assert.Equal(recorded["ids"].AsInt32s, TokenizerFolders.Load(model).Encode(recorded["text"].AsString, addSpecialTokens: false));
    }

    [Fact]
    public void No_recorded_conversation_is_lost()
    {
        Assert.Equal(["chat-llama3.json", "chat-smollm2.json"], Directory.GetFiles(RepositoryFolder.Fixture("tokenizers"), "chat-*.json").Select(Path.GetFileName).Order());
        Assert.Equal(4 + 2, Conversations.Count);
    }

    private static GoldenJson[] Recorded(string model)
    {
        using var golden = Golden.Open("tokenizers");
        return [.. golden.Json($"chat-{model}.json").Items];
    }

    private static IEnumerable<TheoryDataRow<string, int>> Rows(string model) =>
        Enumerable.Range(0, Recorded(model).Length).Select(index => new TheoryDataRow<string, int>(model, index));

    private static ChatMessage[] Messages(GoldenJson recorded) =>
        [.. recorded["messages"].Items.Select(message => new ChatMessage(message["role"].AsString, message["content"].AsString))];

    // Llama 3's were recorded with a prompt only.
    private static bool HasPrompt(GoldenJson recorded) => !recorded.Has("add_generation_prompt") || recorded["add_generation_prompt"].AsBoolean;
}
