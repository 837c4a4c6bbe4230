using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Whether this libtorch serves a device.</summary>
internal static class DeviceCheck
{
    /// <exception cref="NotSupportedException">It does not; the message names the device.</exception>
    public static void EnsureAvailable(Device device)
    {
        var available = device.type switch
        {
            DeviceType.CPU => true,
            DeviceType.CUDA => cuda.is_available() && device.index < cuda.device_count(),
            DeviceType.MPS => mps_is_available(),
            _ => false,
        };
        if (!available)
        {
            throw new NotSupportedException(Errors.DeviceUnavailable(device.ToString()));
        }
    }
}
