using CsCheck;

namespace LoraFhe.Models.Tests;

/// <summary>A template is a stranger's file: none hangs or ends the process.</summary>
public sealed class TemplateLimitTests
{
    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{%-", "-%}", "{{-", "-}}", "{#", "#}", " ", "\n", "text", "if", "elif", "else", "endif", "for", "in", "endfor", "set", "endset", "macro", "endmacro",
        "generation", "endgeneration", "raw", "endraw", "break", "continue", "is", "not", "and", "or", "defined", "none", "true", "a", "b", "loop", "messages", "ns", "namespace", "range",
        "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", "~", "+", "-", "*", "/", "//", "%", "==", "<", "=", "'x'", "\"", "\\", "0", "1", "2.5", "1e9", "9223372036854775807",
        "length", "join", "tojson", "list", "map", "items", "content", "split", "replace", "\ud83d", "é", "{{ a }}", "{% set a = 'xy' * 9 %}", "{% for a in messages %}", "{% if a %}", "{% endif %}",
    ];

    [Theory]
    [InlineData("{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}", "steps for these messages")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}", "for these messages")]
    [InlineData("{% set ns = namespace(a='x') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}", "characters for these messages")]
    [InlineData("{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = ns.a + ns.a %}{% endfor %}", "steps for these messages")]
    [InlineData("{{ 'x' * 999999999999 }}", "characters for these messages")]
    [InlineData("{{ [1] * 9223372036854775807 }}", "steps for these messages")]
    [InlineData("{% set a = 'x' * 999999 %}{% for i in range(99) %}{{ a }}{% endfor %}", "characters for these messages")]
    [InlineData("{% set a = 'x' * 2000000 %}{{ (a[1:] ~ 'y') in a }}", "characters for these messages")]
    [InlineData("{% set a = 'x' * 2000000 %}{{ a.strip(a) }}", "characters for these messages")]
    [InlineData("{% set a = 'x' * 2000000 %}{{ a.replace('x', a) }}", "for these messages")]
    [InlineData("{% set a = 'x' * 4000000 %}{{ a|list }}", "steps for these messages")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nest deeper than 200 levels")]
    [InlineData("{% macro f() %}{{ f() ~ f() }}{% endmacro %}{{ f() }}", "nest deeper than 200 levels")]
    [InlineData("{% set ns = namespace(a=[]) %}{% for i in range(999) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}", "nest deeper than 200 levels")]
    [InlineData("{% set ns = namespace(a=[], b=[]) %}{% for i in range(999) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ ns.a == ns.b }}", "nest deeper than 200 levels")]
    [InlineData("{% set ns = namespace(a=[]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}", "steps for these messages")]
    [InlineData("{% set ns = namespace(a=[], b=[]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}", "steps for these messages")]
    [InlineData("{{ [[[messages]]]|map('map', 'map', 'list')|list|tojson(indent=99) }}", "'tojson' needs an indent from 0 to 64")]
    public void A_template_that_does_not_end_is_stopped(string template, string reason) => Assert.Contains(reason, Jinja.Refusal(template), StringComparison.Ordinal);

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("a[", "]")]
    [InlineData("f(", ")")]
    [InlineData("1 if 1 else ", "")]
    [InlineData("1 + ", "")]
    [InlineData("", ".a")]
    [InlineData("", "|trim")]
    [InlineData("", " if 1")]
    public void An_expression_that_nests_too_deep_is_refused(string open, string close)
    {
        string Nested(int count) => "{{ " + string.Concat(Enumerable.Repeat(open, count)) + "1" + string.Concat(Enumerable.Repeat(close, count)) + " }}";

        Assert.Contains("nest deeper than 200 levels", Jinja.Refusal(Nested(30_000)), StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_that_nest_too_deep_are_refused() => Assert.Contains(
        "nest deeper than 200 levels", Jinja.Refusal(string.Concat(Enumerable.Repeat("{% if true %}", 30_000))), StringComparison.Ordinal);

    [Fact]
    public void What_a_template_may_use_grows_with_the_conversation()
    {
        var messages = Enumerable.Range(0, 20_000).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", new string('x', 1_000))).ToList();
        const string Template = "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('') }}{% endif %}{{ m.content.strip() + '\n' }}{% endfor %}";

        Assert.Equal(20_000 * 1_001, Jinja.Render(Template, messages).Length);
    }

    [Fact]
    public void Any_text_is_a_template_or_is_refused() =>
        Gen.OneOf(Gen.OneOfConst(Pieces), Gen.String[0, 3]).Array[0, 40].Select(string.Concat).Sample(IsRenderedOrRefused, iter: 3_000);

    private static bool IsRenderedOrRefused(string template)
    {
        try
        {
            return Jinja.Render(template) is not null;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }
}
