namespace LoraFhe.Models;

/// <summary>The names of a folder's special tokens, from <c>tokenizer_config.json</c> or else <c>special_tokens_map.json</c>.</summary>
/// <param name="folder">A Hugging Face model folder.</param>
internal sealed class SpecialTokenNames(string folder)
{
    private readonly NamedJson[] _files =
        [.. ((string[])["tokenizer_config.json", "special_tokens_map.json"]).Select(name => Path.Combine(folder, name)).Where(File.Exists).Select(NamedJson.ReadFile)];

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>Finds a special token.</summary>
    /// <param name="key">What it is for, for example <c>eos_token</c>.</param>
    /// <returns>The value that names it, and its text; null if no file does.</returns>
    public (NamedJson Source, string Token)? Find(string key)
    {
        foreach (NamedJson file in _files)
        {
            if (file.TryGetValue(key, out NamedJson value))
            {
                return (value, value.IsObject ? value["content"].Text : value.Text);
            }
        }

        return null;
    }

    /// <summary>Checks that what the files say of adding a special token is what the tokenizer does.</summary>
    /// <param name="key"><c>add_bos_token</c> or <c>add_eos_token</c>.</param>
    /// <param name="added">The ids that the template adds at that end.</param>
    /// <param name="id">The special token's id.</param>
    /// <exception cref="InvalidDataException">They differ: some of the Python library's classes follow the one and some the other.</exception>
    public void CheckAdded(string key, IReadOnlyList<int> added, int? id)
    {
        bool isAdded = id is { } token && added.Contains(token);
        foreach (NamedJson file in _files)
        {
            if (file.TryGetValue(key, out NamedJson flag) && flag.Flag != isAdded)
            {
                throw new InvalidDataException(Errors.TemplateDiffers(flag.File, key, flag.Flag));
            }
        }
    }
}
