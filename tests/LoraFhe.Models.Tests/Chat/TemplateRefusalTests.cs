namespace LoraFhe.Models.Tests;

/// <summary>What a template may not do is refused by its name and line, never passed over.</summary>
public sealed class TemplateRefusalTests
{
    [Theory]
    [InlineData("{% include 'a' %}", "the statement 'include' is not supported.")]
    [InlineData("{% block a %}{% endblock %}", "the statement 'block' is not supported.")]
    [InlineData("{% do x %}", "the statement 'do' is not supported.")]
    [InlineData("{% for a in [] recursive %}{% endfor %}", "a recursive loop is not supported.")]
    [InlineData("{% set a | upper %}b{% endset %}", "a filter on a block of 'set' is not supported.")]
    [InlineData("{{ '1_0'|int }}", "a number written with '_' is not supported.")]
    [InlineData("{{ '1_0'|float }}", "a number written with '_' is not supported.")]
    [InlineData("{{ 2 ** 3 }}", "the operator '**' is not supported.")]
    [InlineData("{{ range(*[1]) }}", "an argument list that is unpacked is not supported.")]
    [InlineData("{{ 'a'|urlencode }}", "the filter 'urlencode' is not supported.")]
    [InlineData("{{ [1]|map('wordcount')|list }}", "the filter 'wordcount' is not supported.")]
    [InlineData("{{ 1 is filter }}", "the test 'filter' is not supported.")]
    [InlineData("{{ 'a'.encode() }}", "'encode' of a string is not supported.")]
    [InlineData("{{ messages[0].update({}) }}", "'update' of a dictionary is not supported.")]
    [InlineData("{{ messages.append(1) }}", "'append' of a list is not supported.")]
    [InlineData("{{ messages.__class__ }}", "'__class__' of a list is not supported.")]
    [InlineData("{{ messages[0]['__class__'] }}", "'__class__' of a dictionary is not supported.")]
    [InlineData("{{ cycler }}", "'cycler' is not supported.")]
    [InlineData("{% for a in [1] %}{{ loop.cycle(1) }}{% endfor %}", "'loop.cycle' is not supported.")]
    [InlineData("{{ {1: 2} }}", "a dictionary's key that is a whole number is not supported.")]
    [InlineData("{{ strftime_now('%c') }}", "the time format '%c' is not supported.")]
    [InlineData("{{ [1]|tojson(separators=1) }}", "'separators' of the filter 'tojson' is not supported.")]
    [InlineData("{{ messages.0.items }}", "a function cannot be printed.")]
    [InlineData("{{ range(3) }}", "an iterator cannot be printed.")]
    public void What_is_not_supported_is_named(string template, string text) => Assert.Equal(text, Jinja.Refusal(template));

    [Theory]
    [InlineData("{{ 'a }}", "a string does not end.")]
    [InlineData("{# a", "a comment does not end.")]
    [InlineData("{% raw %} a", "a raw block does not end.")]
    [InlineData("{{ a", "'{{' does not end.")]
    [InlineData("{% if a", "'{%' does not end.")]
    [InlineData("{{ a ? b }}", "the character '?' has no meaning in a tag.")]
    [InlineData("{{ a) }}", "')' closes nothing.")]
    [InlineData("{{ }}", "found '}}' where an expression must stand.")]
    [InlineData("{{ a b }}", "found 'b' where '}}' must stand.")]
    [InlineData("{{ a is b is c }}", "found 'is' where the end of the test must stand.")]
    [InlineData("{% if a %}", "found the end of the template where 'endif' must stand.")]
    [InlineData("{% endfor %}", "the statement 'endfor' is not supported.")]
    [InlineData("{% set true = 1 %}", "'true' cannot be given a value.")]
    [InlineData("{% for loop in [] %}{% endfor %}", "'loop' cannot be given a value.")]
    [InlineData("{% macro a(b=1, c) %}{% endmacro %}", "found ')' where a default must stand.")]
    [InlineData("{{ f(a=1, b) }}", "found 'b' where a named argument must stand.")]
    [InlineData("{% break %}", "'break' stands outside of a loop.")]
    [InlineData("{% for a in [1] %}{% set b %}{% break %}{% endset %}{% endfor %}", "'break' stands outside of a loop.")]
    [InlineData("{{ 99999999999999999999 }}", "'99999999999999999999' is not a whole number of 64 bits.")]
    [InlineData("{{ '\\x4' }}", "a string has an escape that is incomplete or not supported.")]
    public void What_is_no_template_is_refused(string template, string text) => Assert.Equal(text, Jinja.Refusal(template));

    [Theory]
    [InlineData("{{ a.b }}", "'a' is undefined.")]
    [InlineData("{{ f() }}", "'f', which is undefined, cannot be called.")]
    [InlineData("{{ 'a' + b }}", "'+' cannot be applied to a string and 'b', which is undefined,.")]
    [InlineData("{{ 'a' + 1 }}", "'+' cannot be applied to a string and a whole number.")]
    [InlineData("{{ 1 in 'a' }}", "'in' cannot be applied to a whole number and a string.")]
    [InlineData("{{ -'a' }}", "'-' cannot be applied to a string.")]
    [InlineData("{{ 1 < 'a' }}", "'<' cannot be applied to a whole number and a string.")]
    [InlineData("{{ 1 // 0 }}", "a division by zero.")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "a whole number is too large.")]
    [InlineData("{{ 'a'[::0] }}", "a slice's step is zero.")]
    [InlineData("{{ none[1:] }}", "none has no slices.")]
    [InlineData("{% for a in 1 %}{% endfor %}", "a whole number cannot be gone through.")]
    [InlineData("{% for a, b in [[1]] %}{% endfor %}", "1 values for 2 names.")]
    [InlineData("{% set a.b = 1 %}", "'a' is not a namespace; only a namespace's attributes can be set.")]
    [InlineData("{{ none|length }}", "none has no length.")]
    [InlineData("{{ messages|select|length }}", "an iterator has no length.")]
    [InlineData("{{ a|tojson }}", "JSON cannot hold 'a', which is undefined,.")]
    [InlineData("{{ 'a'.split(1) }}", "'split' needs a string; it was given a whole number.")]
    [InlineData("{{ 'a'.strip('b', 'c') }}", "'strip' was given 2 arguments; it takes 1.")]
    [InlineData("{{ 'a'|replace('b') }}", "'replace' needs 'new'.")]
    [InlineData("{{ 'a'|trim(width=3) }}", "'trim' was given 'width', which it does not take, or takes once.")]
    [InlineData("{{ range(100001)|list }}", "a range of more than 100000 numbers.")]
    public void What_Python_cannot_do_either_is_refused(string template, string text) => Assert.Equal(text, Jinja.Refusal(template));

    [Fact]
    public void The_line_is_that_of_the_expression() =>
        Assert.Equal("'b' is undefined.", Jinja.Refusal("{% if true %}\r\n\n{{ 'a' ~\n  b.c }}{% endif %}", line: 4));

    [Fact]
    public void What_a_template_says_itself_reaches_the_caller() => Assert.Equal(
        "the template refuses the conversation: Roles must alternate.", Jinja.Refusal("{{ raise_exception('Roles must alternate.') }}"));

    [Fact]
    public void A_message_is_not_quoted_but_by_the_template_itself()
    {
        IReadOnlyList<ChatMessage> messages = [new("user", "private")];

        var error = Assert.Throws<InvalidDataException>(() => Jinja.Render("{{ messages[0].content + 1 }}", messages));

        Assert.DoesNotContain("private", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_branch_that_is_not_taken_may_hold_filters_that_are_not_supported() =>
        Assert.Equal("plain", Jinja.Render("{% if tools %}{{ tools|dictsort }}{% else %}plain{% endif %}"));
}
