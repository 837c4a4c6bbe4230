namespace LoraFhe;

/// <summary>The modes' names as the Python module spells them.</summary>
public static class HybridFheModes
{
    /// <summary>Reads a mode's name: <c>disable</c>, <c>simulate</c>, <c>execute</c> or <c>torch</c>, in any case.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is none of the four.</exception>
    public static HybridFheMode Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TryParse(name, out var mode) ? mode : throw new ArgumentException(Errors.UnknownMode(name), nameof(name));
    }

    /// <summary>Reads a mode's name, or says that it is none.</summary>
    /// <param name="name">The name, in any case.</param>
    /// <param name="mode">The mode, if the name is one of the four.</param>
    public static bool TryParse(string? name, out HybridFheMode mode)
    {
        foreach (var candidate in Enum.GetValues<HybridFheMode>())
        {
            if (string.Equals(candidate.ToPythonName(), name, StringComparison.OrdinalIgnoreCase))
            {
                mode = candidate;
                return true;
            }
        }

        mode = default;
        return false;
    }

    /// <summary>The mode's name as the Python module spells it.</summary>
    /// <param name="mode">The mode.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mode"/> is not a mode.</exception>
    public static string ToPythonName(this HybridFheMode mode) => mode switch
    {
        HybridFheMode.Disable => "disable",
        HybridFheMode.Simulate => "simulate",
        HybridFheMode.Execute => "execute",
        HybridFheMode.Torch => "torch",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), Errors.UnknownMode(mode)),
    };
}
