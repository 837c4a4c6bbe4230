using System.Reflection;

namespace LoraFhe.Architecture.Tests;

/// <summary>The assemblies this solution ships, and what each refers to.</summary>
internal static class LoraFheAssemblies
{
    public static readonly string[] Names =
    [
        "LoraFhe.Cryptography", "LoraFhe.Cryptography.Client", "LoraFhe.Safetensors", "LoraFhe", "LoraFhe.Models",
    ];

    public static Assembly Load(string name) => Assembly.Load(new AssemblyName(name));

    /// <summary>All assemblies reached from one, itself left out, as far as they are ours.</summary>
    public static HashSet<string> Closure(string name)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([name]);
        while (open.TryPop(out var next))
        {
            foreach (var reference in Load(next).GetReferencedAssemblies())
            {
                if (seen.Add(reference.Name!) && Names.Contains(reference.Name))
                {
                    open.Push(reference.Name!);
                }
            }
        }

        return seen;
    }
}
