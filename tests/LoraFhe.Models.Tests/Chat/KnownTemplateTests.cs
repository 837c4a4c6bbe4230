using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>The templates of well-known models.</summary>
public sealed class KnownTemplateTests
{
    private static readonly ChatMessage[] Conversation = [new("system", "Be brief."), new("user", " One? "), new("assistant", "Yes."), new("user", "Two?")];

    [Fact]
    public void ChatML_frames_every_message() => Assert.Equal(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n One? <|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\n",
        Render("chatml", Conversation));

    [Fact]
    public void Llama_2_puts_the_system_message_into_the_first_turn()
    {
        Assert.Equal("<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n One? [/INST] Yes. </s><s>[INST] Two? [/INST]", Render("llama2", Conversation));
        Assert.Equal("<s>[INST] One? [/INST] Yes. </s><s>[INST] Two? [/INST]", Render("llama2", Conversation[1..]));
    }

    [Fact]
    public void Mistral_begins_once_and_ends_every_answer() =>
        Assert.Equal("<s>[INST]  One?  [/INST]Yes.</s>[INST] Two? [/INST]", Render("mistral", Conversation[1..]));

    [Fact]
    public void Mistral_refuses_a_system_message() => Assert.Equal(
        "chat_template.jinja, line 1 of the chat template: the template refuses the conversation: Conversation roles must alternate user/assistant/user/assistant/...",
        Assert.Throws<InvalidDataException>(() => Render("mistral", Conversation)).Message);

    [Fact]
    public void Gemma_calls_the_assistant_model() => Assert.Equal(
        "<s><start_of_turn>user\nOne?<end_of_turn>\n<start_of_turn>model\nYes.<end_of_turn>\n<start_of_turn>user\nTwo?<end_of_turn>\n<start_of_turn>model\n",
        Render("gemma", Conversation[1..]));

    [Fact]
    public void Phi_3_ends_a_finished_conversation()
    {
        const string Turns = "<|system|>\nBe brief.<|end|>\n<|user|>\n One? <|end|>\n<|assistant|>\nYes.<|end|>\n<|user|>\nTwo?<|end|>\n";

        Assert.Equal(Turns + "<|assistant|>\n", Render("phi3", Conversation));
        Assert.Equal(Turns + "</s>", Render("phi3", Conversation, addGenerationPrompt: false));
    }

    [Fact]
    public void Llama_3_1_writes_the_date_and_leaves_its_tools_out() => Assert.Equal(
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 07 Mar 2026\n\nBe brief.<|eot_id|>"
        + "<|start_header_id|>user<|end_header_id|>\n\nOne?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>"
        + "<|start_header_id|>user<|end_header_id|>\n\nTwo?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        Render("llama3.1", Conversation));

    [Fact]
    public void Qwen_2_5_has_a_system_message_of_its_own()
    {
        const string Turns = "<|im_start|>user\n One? <|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\n";

        Assert.Equal("<|im_start|>system\nBe brief.<|im_end|>\n" + Turns, Render("qwen2.5", Conversation));
        Assert.Equal("<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n" + Turns, Render("qwen2.5", Conversation[1..]));
    }

    [Fact]
    public void Qwen_2_5_gathers_the_answers_of_tools() => Assert.EndsWith(
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>user\n<tool_response>\nr1\n</tool_response>\n<tool_response>\nr2\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
        Render("qwen2.5", [new("user", "q"), new("tool", "r1"), new("tool", "r2")]),
        StringComparison.Ordinal);

    private static string Render(string name, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true) =>
        Jinja.Render(File.ReadAllText(RepositoryFolder.Fixture("chat", name + ".jinja")), messages, addGenerationPrompt, new FixedClock());
}
