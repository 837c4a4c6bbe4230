namespace LoraFhe.Models;

/// <summary>What a tokenizer's file is asked for: that a key has the one value that is supported, or that there is no key that is not known.</summary>
internal static class TokenizerKeys
{
    // A few steps that each double a text would fill any memory; real ones keep its length.
    private const int MostGrowth = 16;

    /// <summary>A token's id: a whole number from 0 to 2^31 - 2, for <see cref="PretrainedTokenizer.VocabularySize"/> is one more.</summary>
    /// <exception cref="InvalidDataException">The value is not one.</exception>
    public static int TokenId(this NamedJson json) => json.Id < int.MaxValue ? json.Id : throw json.WrongValue("the id of a token");

    /// <summary>Checks that an object has no other keys.</summary>
    /// <exception cref="InvalidDataException">It has; the text names the key.</exception>
    public static void RequireKnown(this NamedJson json, params ReadOnlySpan<string> keys)
    {
        foreach ((string name, NamedJson value) in json.Members)
        {
            if (!keys.Contains(name))
            {
                throw new InvalidDataException(Errors.JsonUnknownKey(value.File, value.Path));
            }
        }
    }

    /// <summary>Checks that a key has a certain text.</summary>
    /// <exception cref="InvalidDataException">It has not.</exception>
    public static void Require(this NamedJson json, string key, string expected)
    {
        if (json[key].Text != expected)
        {
            throw json[key].Unsupported($"only '{expected}' is");
        }
    }

    /// <summary>Checks that a key is false.</summary>
    /// <param name="json">The object.</param>
    /// <param name="key">The key.</param>
    /// <param name="otherwise">What it is where it is missing.</param>
    /// <exception cref="InvalidDataException">It is true, or must be given.</exception>
    public static void RequireFalse(this NamedJson json, string key, bool otherwise)
    {
        if (json.FlagOr(key, otherwise))
        {
            throw json[key].Unsupported("only false is");
        }
    }

    /// <summary>Reads a step of type <c>Replace</c>, of a normalizer or a decoder.</summary>
    /// <param name="step">The step.</param>
    /// <param name="growth">How many times longer the steps so far can make a text; this step's share is multiplied in.</param>
    /// <returns>What is replaced, not empty, and what by.</returns>
    /// <exception cref="InvalidDataException">It is faulty, replaces a regular expression, or lets a text grow without measure.</exception>
    public static (string Pattern, string Content) Replacement(this NamedJson step, ref double growth)
    {
        step.RequireKnown("type", "pattern", "content");
        NamedJson pattern = step["pattern"];
        if (!pattern.TryGet("String", out NamedJson literal) || literal.Text.Length == 0)
        {
            throw pattern.Unsupported("a 'String' that is not empty is");
        }

        string content = step["content"].Text;
        growth *= Math.Max(1.0, (double)content.Length / literal.Text.Length);
        return growth <= MostGrowth ? (literal.Text, content) : throw step.Unsupported($"steps that make a text at most {MostGrowth} times longer are");
    }
}
