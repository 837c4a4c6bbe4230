using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>How often a tensor was changed in place: libtorch counts it for its own graph, and TorchSharp does not show it.</summary>
/// <remarks>What is called are <c>at::_version</c> and <c>at::is_inference</c> of libtorch's public interface, which throw nothing when called in this order. Another build of
/// libtorch may name them otherwise: then no two counts are the same, as if every tensor were changed all the time.</remarks>
internal sealed unsafe class TensorVersion
{
    private static readonly TensorVersion Loaded = new(NativeLibrary.TryLoad("torch_cpu", typeof(Tensor).Assembly, null, out var library) ? library : 0);

    private readonly delegate* unmanaged<nint, byte> _isInference;
    private readonly delegate* unmanaged<nint, long> _version;
    private long _unknown = -1;

    /// <summary>Finds what is called.</summary>
    /// <param name="library">libtorch; 0 if there is none.</param>
    internal TensorVersion(nint library)
    {
        if (library != 0
            && NativeLibrary.TryGetExport(library, "_ZN2at4_ops12is_inference4callERKNS_6TensorE", out var isInference)
            && NativeLibrary.TryGetExport(library, "_ZN2at4_ops8_version4callERKNS_6TensorE", out var version))
        {
            _isInference = (delegate* unmanaged<nint, byte>)isInference;
            _version = (delegate* unmanaged<nint, long>)version;
        }
    }

    /// <summary>The count, which all views of one memory share; −1 for a tensor made in inference mode, which has none; another negative number each time where libtorch does not tell.</summary>
    public static long Of(Tensor tensor) => Loaded.Read(tensor);

    /// <summary>As <see cref="Of"/>.</summary>
    internal long Read(Tensor tensor)
    {
        if (_version is null)
        {
            return Interlocked.Decrement(ref _unknown);
        }

        var version = _isInference(tensor.Handle) != 0 ? -1 : _version(tensor.Handle);
        GC.KeepAlive(tensor);
        return version;
    }
}
