using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Small templates, each with the text that Jinja2 made of it as transformers sets it; the file says which version and which settings.</summary>
public sealed class JinjaTests
{
    private static readonly GoldenJson Recorded = Open();

    public static TheoryData<string> Rendered => [.. Templates("text")];

    public static TheoryData<string> Refused => [.. Templates("refused")];

    [Theory]
    [MemberData(nameof(Rendered))]
    public void The_text_is_Jinjas(string template) => Assert.Equal(Case(template)["text"].AsString, Render(template));

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_Jinja_refuses_is_refused(string template) => Assert.Throws<InvalidDataException>(() => Render(template));

    private static GoldenJson Open()
    {
        using var golden = Golden.Open("chat");
        return golden.Json("jinja.json");
    }

    private static IEnumerable<string> Templates(string kind) => Recorded["cases"].Items.Where(item => item.Has(kind)).Select(item => item["template"].AsString);

    private static GoldenJson Case(string template) => Recorded["cases"].Items.Single(item => item["template"].AsString == template);

    private static string Render(string template) => Jinja.Render(
        template,
        [.. Recorded["messages"].Items.Select(message => new ChatMessage(message["role"].AsString, message["content"].AsString))],
        Recorded["add_generation_prompt"].AsBoolean,
        new FixedClock());
}
