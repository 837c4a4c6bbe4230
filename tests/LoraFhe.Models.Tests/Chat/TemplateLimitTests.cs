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

    private static readonly string[] Leaves =
    [
        "0", "1", "-2", "2.5", "1e300", "9007199254740993", "9223372036854775807", "(-9223372036854775807 - 1)", "''", "'abc'", "' a b '", "'🐟é'", "'\\ud83d'", "none", "true", "false",
        "nothing", "messages", "messages[0]", "messages[0].content", "loop", "ns", "b", "[]", "{}", "(1, 2)", "range(3)", "messages|map(attribute='role')", "range", "'12'", "'inf'", "'nan'",
    ];

    private static readonly string[] Operations = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "if true else", "is eq", "is divisibleby"];

    private static readonly string[] Suffixes =
    [
        "|trim", "|upper", "|title", "|capitalize", "|length", "|first", "|last", "|list", "|int", "|float", "|abs", "|string", "|tojson", "|tojson(indent=3)", "|reverse", "|items", "|join",
        "|default", "|map('string')", "|map(attribute='role')", "|select", "|selectattr('role')", "|reject('none')", ".items()", ".keys()", ".strip()", ".split()", ".title()", ".role", ".x",
        "[0]", "[-1]", "[1:]", "[::-1]", " is odd", " is iterable", " is none", "()",
    ];

    private static readonly string[] Calls =
    [
        "|trim", "|replace('a', 'b', count=2) ~ range", "|join", "|default", "|int", "|map", "|select", "|selectattr", "|tojson", ".get", ".split", ".strip", ".startswith", ".find", ".join",
        ".removeprefix", " is in", " is lt", " is sameas", "|round",
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
    [InlineData("{% macro f(a000000000=1, b=2) %}{% endmacro %}{% for i in range(99999) %}{{ f(b=1, a000000000=2) }}{{ f(b=1, a000000000=2) }}{% endfor %}", "steps for these messages")]
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

    [Fact]
    public void Any_expression_has_a_value_or_is_refused() => Expression(3).Array[3].Sample(
        parts => IsRenderedOrRefused($"{{% set ns = namespace(a=1) %}}{{% for b in {parts[0]} %}}{{{{ b }}}}{{% if {parts[1]} %}}{{{{ loop.index }}}}{{% endif %}}{{% endfor %}}{{{{ {parts[2]} }}}}"),
        iter: 10_000);

    [Theory]
    [InlineData("{{ 'abc'[1::9223372036854775807] }}", "b")]
    [InlineData("{{ 'abc'[::-9223372036854775807] }}", "c")]
    [InlineData("{{ [1, 2][9223372036854775807] is defined }}{{ 'a'[9223372036854775807] is defined }}", "FalseFalse")]
    [InlineData("{{ 'abc'[-9223372036854775807:9223372036854775807] }}", "abc")]
    public void An_index_may_be_any_number(string template, string text) => Assert.Equal(text, Jinja.Render(template));

    private static Gen<string> Expression(int depth)
    {
        if (depth == 0)
        {
            return Gen.OneOfConst(Leaves);
        }

        Gen<string> inner = Expression(depth - 1);
        return Gen.OneOf(
            inner,
            Gen.Select(inner, Gen.OneOfConst(Operations), inner, (left, operation, right) => $"({left} {operation} {right})"),
            Gen.Select(Gen.OneOfConst("not ", "-", "+"), inner, (sign, operand) => $"({sign}{operand})"),
            Gen.Select(inner, Gen.OneOfConst(Suffixes), (operand, suffix) => $"({operand}){suffix}"),
            Gen.Select(inner, Gen.OneOfConst(Calls), inner, (operand, call, argument) => $"({operand}){call}({argument})"),
            Gen.Select(inner, inner, (one, other) => $"[{one}, {other}]"),
            Gen.Select(inner, inner, (one, other) => $"{{'k': {one}, 'l': {other}}}"),
            Gen.Select(inner, inner, (one, other) => $"({one})[{other}]"),
            Gen.Select(inner, inner, inner, (one, from, to) => $"({one})[{from}:{to}]"),
            Gen.Select(inner, inner, (one, step) => $"({one})[::{step}]"));
    }

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
