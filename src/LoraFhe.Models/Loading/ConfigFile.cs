namespace LoraFhe.Models;

/// <summary>A model folder's <c>config.json</c>.</summary>
internal static class ConfigFile
{
    /// <summary>Reads it.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no <c>config.json</c>.</exception>
    /// <exception cref="InvalidDataException">The file is not JSON.</exception>
    public static NamedJson Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(Errors.NoModelFolder(folder));
        }

        var path = Path.Combine(folder, PretrainedConfig.FileName);
        return File.Exists(path)
            ? NamedJson.ReadFile(path)
            : throw new FileNotFoundException(Errors.FileMissing(folder, PretrainedConfig.FileName), path);
    }

    /// <summary>Checks that the model is of one of the classes, where the file says of which it is.</summary>
    /// <exception cref="InvalidDataException">It is of none of them.</exception>
    public static void CheckClass(NamedJson json, IReadOnlyList<string> modelClasses)
    {
        if (Stated(json) is { } classes && !classes.Items.Any(item => modelClasses.Contains(item.Text)))
        {
            throw classes.Unsupported(string.Join(" and ", modelClasses.Select(name => $"'{name}'")) + (modelClasses.Count == 1 ? " is" : " are"));
        }
    }

    /// <summary>Checks that the model is of the one class that can be loaded here.</summary>
    /// <param name="json">The file.</param>
    /// <param name="modelClass">The class.</param>
    /// <param name="cure">What loads the other kind of model.</param>
    /// <exception cref="InvalidDataException">It is of another.</exception>
    public static void CheckClass(NamedJson json, string modelClass, string cure)
    {
        if (Stated(json) is { } classes && !classes.Items.Any(item => item.Text == modelClass))
        {
            throw classes.Unsupported($"'{modelClass}' is. {cure}");
        }
    }

    // An empty list says as little as none.
    private static NamedJson? Stated(NamedJson json) => json.TryGetValue("architectures", out var classes) && classes.Items.Any() ? classes : null;
}
