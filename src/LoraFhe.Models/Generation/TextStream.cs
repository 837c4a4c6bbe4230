namespace LoraFhe.Models;

/// <summary>Turns tokens that come one by one into text: a character whose bytes are spread over several tokens is held until it is
/// whole.</summary>
/// <param name="tokenizer">Whose tokens they are.</param>
/// <param name="onText">Gets each piece.</param>
internal sealed class TextStream(PretrainedTokenizer tokenizer, Action<string> onText)
{
    private const char Incomplete = '\uFFFD';

    private readonly List<int> _held = [];

    /// <summary>Takes a token.</summary>
    public void Add(int id)
    {
        _held.Add(id);
        var text = tokenizer.Decode(_held);
        if (text.Length > 0 && text[^1] != Incomplete)
        {
            _held.Clear();
            onText(text);
        }
    }

    /// <summary>Gives out what was still held, whole or not.</summary>
    public void End()
    {
        if (tokenizer.Decode(_held) is { Length: > 0 } text)
        {
            onText(text);
        }

        _held.Clear();
    }
}
