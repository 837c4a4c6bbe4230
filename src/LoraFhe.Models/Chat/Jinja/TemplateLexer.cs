namespace LoraFhe.Models;

/// <summary>Cuts a template into tokens, with <c>trim_blocks</c> and <c>lstrip_blocks</c> on, as transformers sets them.</summary>
/// <remarks>
/// Jinja's rules: a tag's <c>-</c> takes the white space on its side; without a sign, a block or a comment takes the spaces before it on its line
/// and one line break after it; <c>+</c> takes nothing. The template's last line break is dropped. Source: Jinja's documentation, "Whitespace Control".
/// </remarks>
internal sealed class TemplateLexer
{
    private readonly string _file;
    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private readonly TagLexer _tag;
    private int _position;
    private int _line = 1;

    private TemplateLexer(string file, string source)
    {
        (_file, _source) = (file, source);
        _tag = new TagLexer(file, source, _tokens);
    }

    /// <summary>Cuts a template into tokens; the last is the end.</summary>
    /// <exception cref="InvalidDataException">A tag, a string or a comment does not end, or a character has no meaning.</exception>
    public static IReadOnlyList<TemplateToken> Read(string file, string template)
    {
        string source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(file, source.EndsWith('\n') ? source[..^1] : source);
        while (lexer.ReadNext())
        {
        }

        return lexer._tokens;
    }

    private bool ReadNext()
    {
        int tag = FindTag();
        if (tag < 0)
        {
            AddText(_source[_position..]);
            _tokens.Add(new TemplateToken(TokenKind.End, "", _line));
            return false;
        }

        char kind = _source[tag + 1];
        char sign = SignAt(tag + 2);
        AddText(Stripped(_source[_position..tag], sign, isOutput: kind == '{'));
        MoveTo(tag + (sign == '\0' ? 2 : 3));
        if (kind == '#')
        {
            SkipComment();
        }
        else if (kind != '%' || !TryReadRaw())
        {
            _tokens.Add(new TemplateToken(kind == '{' ? TokenKind.OutputBegin : TokenKind.BlockBegin, _source[tag..(tag + 2)], _line));
            (_position, _line) = _tag.Read(_position, _line, isOutput: kind == '{');
        }

        return true;
    }

    private int FindTag()
    {
        for (int i = _position; i < _source.Length - 1; i++)
        {
            if (_source[i] == '{' && _source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private char SignAt(int index) => index < _source.Length && _source[index] is '-' or '+' ? _source[index] : '\0';

    private string Stripped(string text, char sign, bool isOutput)
    {
        if (sign == '-')
        {
            return PythonString.TrimEnd(text);
        }

        if (sign == '+' || isOutput)
        {
            return text;
        }

        int lineStart = text.LastIndexOf('\n') + 1;
        bool startsLine = lineStart > 0 || _position == 0 || _source[_position - 1] == '\n';
        return startsLine && PythonString.IsBlank(text.AsSpan(lineStart)) ? text[..lineStart] : text;
    }

    private void AddText(string text)
    {
        if (text.Length > 0)
        {
            _tokens.Add(new TemplateToken(TokenKind.Text, text, _line));
        }
    }

    private void MoveTo(int position)
    {
        _line += _source.AsSpan(_position, position - _position).Count('\n');
        _position = position;
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new InvalidDataException(Errors.Template(_file, _line, Errors.TemplateUnclosed("a comment")));
        }

        MoveTo(TagLexer.AfterEnd(_source, end + 2, end > _position ? _source[end - 1] : '\0', trimsLine: true));
    }

    // {% raw %} ... {% endraw %}: text in which nothing is a tag.
    private bool TryReadRaw()
    {
        int afterName = AfterName(_position, "raw");
        if (afterName < 0)
        {
            return false;
        }

        bool strips = SignAt(afterName) == '-';
        int open = afterName + (strips ? 1 : 0);
        if (!IsAt(open, "%}"))
        {
            return false;
        }

        MoveTo(TagLexer.AfterEnd(_source, open + 2, strips ? '-' : '\0', trimsLine: false));
        for (int tag = FindTag("{%", _position); tag >= 0; tag = FindTag("{%", tag + 1))
        {
            char sign = SignAt(tag + 2);
            int end = AfterName(tag + (sign == '\0' ? 2 : 3), "endraw");
            char endSign = end < 0 ? '\0' : SignAt(end);
            end += endSign == '\0' ? 0 : 1;
            if (end > 0 && IsAt(end, "%}"))
            {
                AddText(Stripped(_source[_position..tag], sign, isOutput: false));
                MoveTo(TagLexer.AfterEnd(_source, end + 2, endSign, trimsLine: true));
                return true;
            }
        }

        throw new InvalidDataException(Errors.Template(_file, _line, Errors.TemplateUnclosed("a raw block")));
    }

    private int FindTag(string begin, int from) => _source.IndexOf(begin, from, StringComparison.Ordinal);

    // The position after the name and the white space around it; -1 if another name stands there.
    private int AfterName(int position, string name)
    {
        position = TagLexer.AfterSpace(_source, position);
        return IsAt(position, name) ? TagLexer.AfterSpace(_source, position + name.Length) : -1;
    }

    private bool IsAt(int position, string text) => string.CompareOrdinal(_source, position, text, 0, text.Length) == 0;
}
