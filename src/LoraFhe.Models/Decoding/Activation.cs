using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The activation functions, by the names that configurations give them.</summary>
internal static class Activation
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Table = new(StringComparer.Ordinal)
    {
        ["gelu"] = nn.functional.gelu,
        ["gelu_new"] = TanhGelu,
        ["gelu_fast"] = TanhGelu,
        ["gelu_pytorch_tanh"] = TanhGelu,
        ["relu"] = input => nn.functional.relu(input),
        ["silu"] = input => nn.functional.silu(input),
        ["swish"] = input => nn.functional.silu(input),
        ["tanh"] = input => nn.functional.tanh(input),
    };

    /// <summary>Reads a key; a default for a missing one.</summary>
    /// <exception cref="InvalidDataException">The function is not known here.</exception>
    public static string Read(NamedJson json, string key, string otherwise)
    {
        if (!json.TryGetValue(key, out var name))
        {
            return otherwise;
        }

        return Table.ContainsKey(name.Text)
            ? name.Text
            : throw name.Unsupported(string.Join(", ", Table.Keys.Select(known => $"'{known}'")) + " are");
    }

    /// <summary>The function of a name that was read.</summary>
    public static Func<Tensor, Tensor> Of(string name) => Table[name];

    private static Tensor TanhGelu(Tensor input) => nn.functional.gelu(input, GELU.Approximate.tanh);
}
