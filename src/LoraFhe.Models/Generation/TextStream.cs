namespace LoraFhe.Models;

/// <summary>Turns tokens that come one by one into text: a character whose bytes are spread over several tokens is held until it is
/// whole.</summary>
/// <remarks>Tokens are decoded behind those before them, for a decoder may treat a text's beginning otherwise: Llama 2's takes a space from it.</remarks>
/// <param name="tokenizer">Whose tokens they are.</param>
/// <param name="onText">Gets each piece.</param>
internal sealed class TextStream(PretrainedTokenizer tokenizer, Action<string> onText)
{
    private const char Incomplete = '\uFFFD';

    private List<int> _before = [];
    private List<int> _held = [];

    /// <summary>Takes a token.</summary>
    public void Add(int id)
    {
        _held.Add(id);
        var text = Held();
        if (text.Length > 0 && text[^1] != Incomplete)
        {
            (_before, _held) = (_held, []);
            onText(text);
        }
    }

    /// <summary>Gives out what was still held, whole or not.</summary>
    public void End()
    {
        if (Held() is { Length: > 0 } text)
        {
            onText(text);
        }

        (_before, _held) = ([], []);
    }

    // A decoder of a stranger's file may make a text shorter with more tokens.
    private string Held()
    {
        var text = tokenizer.Decode(_before.Concat(_held));
        return text[Math.Min(tokenizer.Decode(_before).Length, text.Length)..];
    }
}
