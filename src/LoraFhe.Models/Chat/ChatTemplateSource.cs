using System.Text;

namespace LoraFhe.Models;

/// <summary>A chat template as a model's folder holds it.</summary>
/// <param name="Name">The file, and the key in it, for errors.</param>
/// <param name="Text">The template.</param>
/// <param name="SpecialTokens">The special tokens by their variables' names, <c>bos_token</c> and so on.</param>
internal sealed record ChatTemplateSource(string Name, string Text, IReadOnlyDictionary<string, string> SpecialTokens)
{
    private const string TemplateFile = "chat_template.jinja";
    private const string ConfigFile = "tokenizer_config.json";
    private const string TemplateKey = "chat_template";
    private const long LongestTemplate = 1 << 20;

    private static readonly string[] SpecialTokenKeys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>Reads a folder's template: <c>chat_template.jinja</c>, or else <c>chat_template</c> of <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="InvalidDataException">There is none, or a file is faulty.</exception>
    public static ChatTemplateSource Read(string folder)
    {
        (string name, string text) = ReadFile(folder) ?? ReadConfiguration(folder) ?? throw new InvalidDataException(Errors.NoChatTemplate(folder));
        return text.Length <= LongestTemplate
            ? new ChatTemplateSource(name, text, ReadSpecialTokens(new SpecialTokenNames(folder)))
            : throw new InvalidDataException(Errors.TemplateLength(name, text.Length, LongestTemplate));
    }

    private static (string Name, string Text)? ReadFile(string folder)
    {
        string path = Path.Combine(folder, TemplateFile);
        if (!File.Exists(path))
        {
            return null;
        }

        long length = new FileInfo(path).Length;
        if (length > 4 * LongestTemplate)
        {
            throw new InvalidDataException(Errors.TemplateLength(TemplateFile, length, LongestTemplate));
        }

        try
        {
            return (TemplateFile, File.ReadAllText(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)));
        }
        catch (DecoderFallbackException)
        {
            throw new InvalidDataException(Errors.TextNotUtf8(TemplateFile));
        }
    }

    private static (string Name, string Text)? ReadConfiguration(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        if (!File.Exists(path) || !NamedJson.ReadFile(path).TryGetValue(TemplateKey, out NamedJson template))
        {
            return null;
        }

        if (template.IsArray)
        {
            template = Default(template);
        }

        return ($"{ConfigFile}, '{template.Path}'", template.Text);
    }

    private static NamedJson Default(NamedJson templates)
    {
        NamedJson[] items = [.. templates.Items];
        int index = Array.FindIndex(items, item => item["name"].Text == "default");
        return index >= 0
            ? items[index]["template"]
            : throw new InvalidDataException(Errors.NoDefaultTemplate(
                templates.File, templates.Path, items.Length == 0 ? "none" : string.Join(", ", items.Select(item => $"'{Errors.TemplateQuote(item["name"].Text)}'"))));
    }

    private static Dictionary<string, string> ReadSpecialTokens(SpecialTokenNames names)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string key in SpecialTokenKeys)
        {
            if (names.Find(key) is { } found)
            {
                tokens[key] = found.Token;
            }
        }

        return tokens;
    }
}
