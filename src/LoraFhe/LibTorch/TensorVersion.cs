using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>How often a tensor was changed in place: libtorch counts it for its own graph, and TorchSharp does not show it.</summary>
/// <remarks>What is called are <c>at::_version</c> and <c>at::is_inference</c> of libtorch's public interface, which throw nothing when called in this order.</remarks>
internal static unsafe class TensorVersion
{
    private static readonly nint Library = NativeLibrary.Load("torch_cpu", typeof(Tensor).Assembly, null);

    private static readonly delegate* unmanaged<nint, byte> IsInference =
        (delegate* unmanaged<nint, byte>)NativeLibrary.GetExport(Library, "_ZN2at4_ops12is_inference4callERKNS_6TensorE");

    private static readonly delegate* unmanaged<nint, long> Version =
        (delegate* unmanaged<nint, long>)NativeLibrary.GetExport(Library, "_ZN2at4_ops8_version4callERKNS_6TensorE");

    /// <summary>The count, which all views of one memory share; −1 for a tensor made in inference mode, which has none.</summary>
    public static long Of(Tensor tensor)
    {
        var version = IsInference(tensor.Handle) != 0 ? -1 : Version(tensor.Handle);
        GC.KeepAlive(tensor);
        return version;
    }
}
