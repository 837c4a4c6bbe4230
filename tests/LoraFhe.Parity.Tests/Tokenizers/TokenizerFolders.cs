using System.Collections.Concurrent;
using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>Where the recorded tokenizers lie: those that may be shipped in the repository, the others among the <see cref="TestModels"/>.</summary>
internal static class TokenizerFolders
{
    /// <summary>Whether .NET finds ICU, without which a text that NFC may change is refused.</summary>
    public static bool Composes => "e\u0301".Normalize() == "\u00E9";

    private static readonly ConcurrentDictionary<string, PretrainedTokenizer> Loaded = new(StringComparer.Ordinal);

    /// <summary>Loads a tokenizer, once.</summary>
    public static PretrainedTokenizer Load(string tokenizer) => Loaded.GetOrAdd(tokenizer, name => PretrainedTokenizer.FromPretrained(Of(name)));

    private static string Of(string tokenizer) => tokenizer switch
    {
        "gpt2" => RepositoryFolder.Fixture("tokenizers", "gpt2"),
        "tiny-austen" => RepositoryFolder.At("models", "tiny-austen"),
        "glassllm" => RepositoryFolder.Fixture("glassllm-en"),
        "smollm2" => TestModels.At("smollm2"),
        _ => TestModels.At("tokenizers", tokenizer),
    };
}
