using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Tells LoRA's own modules and parameters from a model's by their names.</summary>
/// <remarks>
/// A segment of a dotted path is LoRA's if <c>lora</c> is one of its words, in any case: <c>lora_A</c>, <c>lora_B</c>, <c>lora_embedding_A</c>,
/// <c>lora_dropout</c>, <c>my_lora</c>, <c>LoraAdapter</c>; but not <c>exploration_head</c>, which only contains the letters.
/// </remarks>
internal static partial class LoraNames
{
    private static readonly string[] Prefixes = ["lora_a", "lora_b", "lora_dropout", "lora_embedding_a", "lora_embedding_b"];

    /// <summary>Whether a segment, a name without dots, is LoRA's.</summary>
    public static bool IsLora(string segment) => LoraWord().IsMatch(segment);

    /// <summary>Whether any segment of a dotted path is LoRA's.</summary>
    public static bool AnyLora(string path) => path.Split('.').Any(IsLora);

    /// <summary>Whether a dotted path lies in an adapter, or in a module that one trains whole: what is there is never frozen, or never called.</summary>
    public static bool IsAdapters(string path) =>
        AnyLora(path) || path.Split('.').Any(segment => segment is PeftNames.ModulesToSave or PeftNames.OriginalModule);

    /// <summary>Whether a module has a child, parameter or buffer that only an adapter has.</summary>
    public static bool MarksAdapter(nn.Module module) =>
        module.named_children().Select(entry => entry.name)
            .Concat(module.named_parameters(recurse: false).Select(entry => entry.name))
            .Concat(module.named_buffers(recurse: false).Select(entry => entry.name))
            .Any(name => Prefixes.Contains(name.TrimStart('_'), StringComparer.OrdinalIgnoreCase));

    // `lora` begins at the start, after a separator or as a capital inside camel case, and does not go on as a longer lower-case word.
    [GeneratedRegex(@"(?:(?:^|[^A-Za-z])[lL][oO][rR][aA]|(?<=[a-z])L(?:ora|ORA))(?![a-z])", RegexOptions.CultureInvariant)]
    private static partial Regex LoraWord();
}
