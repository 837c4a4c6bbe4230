using System.Text.Json.Nodes;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Makes tokenizers of other shapes than the shipped one's.</summary>
internal static class TokenizerJson
{
    /// <summary>The shipped tokenizer.json, to be changed.</summary>
    public static JsonObject TinyAusten() => JsonNode.Parse(File.ReadAllText(RepositoryFolder.At("models", "tiny-austen", "tokenizer.json")))!.AsObject();

    /// <summary>A byte-level tokenizer of all printable ASCII, the space and some merges; ids rise in that order from 0.</summary>
    public static JsonObject Small(params string[] merges)
    {
        var vocabulary = new JsonObject();
        foreach (string token in Enumerable.Range(0x21, 94).Select(c => ((char)c).ToString()).Append("Ġ").Concat(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))))
        {
            vocabulary.TryAdd(token, vocabulary.Count);
        }

        return new JsonObject
        {
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray([.. merges.Select(merge => JsonValue.Create(merge))]) },
        };
    }

    /// <summary>An added token.</summary>
    public static JsonObject Added(int id, string content, bool special = true) =>
        new() { ["id"] = id, ["content"] = content, ["special"] = special, ["normalized"] = false };

    /// <summary>Loads a tokenizer from its JSON.</summary>
    public static PretrainedTokenizer Load(JsonObject json, string? config = null)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json.ToJsonString());
        if (config is not null)
        {
            folder.Write("tokenizer_config.json", config);
        }

        return PretrainedTokenizer.FromPretrained(folder.Path);
    }

    /// <summary>The pieces that ids stand for, joined by bars.</summary>
    public static string Pieces(this PretrainedTokenizer tokenizer, string text) =>
        string.Join('|', tokenizer.Encode(text).Select(id => tokenizer.Decode([id], skipSpecialTokens: false)));
}
