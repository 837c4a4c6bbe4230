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

    /// <summary>A tokenizer of Llama 2's form: characters, a space is '▁', what is no token is spelt in bytes. Ids: &lt;unk&gt; 0, &lt;s&gt; 1, &lt;/s&gt; 2, the bytes from 3, '▁' 259, a to z
    /// from 260, then what the merges make.</summary>
    public static JsonObject Llama2(params string[] merges)
    {
        var vocabulary = new JsonObject();
        string[] tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), "▁", .. Enumerable.Range('a', 26).Select(c => ((char)c).ToString())];
        foreach (string token in tokens.Concat(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))))
        {
            vocabulary.TryAdd(token, vocabulary.Count);
        }

        JsonObject json = JsonNode.Parse("""
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
             "pre_tokenizer": null,
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
             "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
              {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
             "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true}}
            """)!.AsObject();
        json["added_tokens"] = new JsonArray(Added(0, "<unk>"), Added(1, "<s>"), Added(2, "</s>"));
        json["model"]!["vocab"] = vocabulary;
        json["model"]!["merges"] = new JsonArray([.. merges.Select(merge => JsonValue.Create(merge))]);
        return json;
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
