using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Remembers which layer a module replaced, without keeping either alive.</summary>
internal static class ReplacedLayers
{
    private static readonly ConditionalWeakTable<nn.Module, WeakReference<nn.Module>> Originals = new();

    /// <summary>Notes that a module took a layer's places, or went back to them.</summary>
    public static void Note(nn.Module original, nn.Module replacement)
    {
        if (Before(original, out var before) && ReferenceEquals(before, replacement))
        {
            Originals.Remove(original);
        }
        else if (!ReferenceEquals(original, replacement))
        {
            Originals.AddOrUpdate(replacement, new WeakReference<nn.Module>(original));
        }
    }

    /// <summary>Whether a module replaced a layer, and which, if that is alive.</summary>
    public static bool Before(nn.Module replacement, out nn.Module? original)
    {
        original = null;
        if (!Originals.TryGetValue(replacement, out var reference))
        {
            return false;
        }

        reference.TryGetTarget(out original);
        return true;
    }
}
