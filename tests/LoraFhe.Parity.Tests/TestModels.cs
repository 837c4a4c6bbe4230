namespace LoraFhe.Parity.Tests;

/// <summary>The models and tokenizers that are too big, or not ours to ship: a folder that <c>.ci/unpack-test-models</c> makes and an environment variable names.</summary>
/// <remarks>The folder holds <c>smollm2</c> (a Hugging Face folder), <c>smollm2-reference</c>, <c>tokenizers/llama2</c>, <c>tokenizers/llama3</c>, <c>lora/smollm2-proverbs</c> and
/// <c>text</c>. Tests that need it are <see cref="RealModelFactAttribute"/> and <see cref="RealModelTheoryAttribute"/>.</remarks>
public static class TestModels
{
    public const string Variable = "LORAFHE_TEST_MODELS";

    /// <summary>What a skipped test says.</summary>
    public const string HowToGet = $"Needs models that are not in the repository. Set {Variable} to the folder that '.ci/unpack-test-models MODELS_FOLDER OUT' makes.";

    /// <summary>Whether the variable is set. A set variable that names no such folder makes the tests fail, not skip.</summary>
    public static bool AreThere => Folder.Length > 0;

    /// <summary>What the variable names.</summary>
    public static string Folder => Environment.GetEnvironmentVariable(Variable) ?? "";

    /// <summary>A file or folder below the one that the variable names.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static string At(params string[] parts)
    {
        string path = Path.Combine([Folder, .. parts]);
        return Path.Exists(path) ? path : throw new FileNotFoundException($"'{path}' is not there. {HowToGet}");
    }
}
