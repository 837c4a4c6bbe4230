using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Tells parameters apart by their memory: TorchSharp hands out several objects for one tied weight.</summary>
internal static class DistinctParameters
{
    /// <summary>The parameters in their order, each memory once, under its first name.</summary>
    public static IEnumerable<(string Name, Parameter Parameter)> Of(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var seen = new HashSet<(nint, long)>();
        foreach (var (name, parameter) in parameters)
        {
            if (seen.Add(Memory(parameter)))
            {
                yield return (name, parameter);
            }
        }
    }

    /// <summary>Where a tensor's elements lie, and how many they are: the same for all objects of one tied weight.</summary>
    public static (nint Address, long Count) Memory(Tensor tensor) => (Address(tensor), tensor.numel());

    /// <summary>Whether any memory is in both.</summary>
    public static bool Overlap(IEnumerable<Parameter> some, IEnumerable<Parameter> others) =>
        some.Select(Memory).Intersect(others.Where(parameter => !parameter.IsInvalid).Select(Memory)).Any();

    // TorchSharp shows the address of elements on the CPU only; elsewhere, and for a tensor of none, the native object stands for it.
    private static unsafe nint Address(Tensor tensor) =>
        tensor.device_type == TorchSharp.DeviceType.CPU && tensor.numel() > 0 && tensor.is_contiguous()
            ? (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes))
            : tensor.Handle;
}
