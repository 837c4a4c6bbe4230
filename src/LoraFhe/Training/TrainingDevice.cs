using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The device on which the client's part of a step is computed.</summary>
internal static class TrainingDevice
{
    /// <summary>Checks that training can run there, and moves the optimizer's state.</summary>
    /// <exception cref="NotSupportedException">This libtorch does not serve the device.</exception>
    /// <exception cref="ArgumentException">The adapters are elsewhere.</exception>
    public static void Use(Device device, TrainableParameters trainable, optim.Optimizer optimizer)
    {
        if (Fault(device) is { } fault)
        {
            throw new NotSupportedException(fault);
        }

        // Moving a parameter makes another one; the optimizer would go on updating the first.
        foreach (var (_, parameter) in trainable.All)
        {
            if (parameter.device_type != device.type)
            {
                throw new ArgumentException(Errors.AdaptersElsewhere(parameter.device.ToString(), device.ToString()), nameof(device));
            }
        }

        if (device.type != DeviceType.CPU)
        {
            Lora.OptimizerTo(optimizer, device);
        }
    }

    // Why training cannot run there; null if it can.
    private static string? Fault(Device device) => device.type switch
    {
        DeviceType.CPU => Fault(device, available: true, count: 1),
        DeviceType.CUDA => Fault(device, cuda.is_available(), cuda.device_count()),
        DeviceType.MPS => Fault(device, mps_is_available(), count: 1),
        _ => Errors.DeviceUnknown(NameOf(device)),
    };

    private static string? Fault(Device device, bool available, int count) =>
        !available ? Errors.DeviceUnavailable(NameOf(device)) : device.index >= count ? Errors.DeviceNumber(NameOf(device), count) : null;

    // TorchSharp leaves out a CPU's number.
    private static string NameOf(Device device) =>
        device is { type: DeviceType.CPU, index: > 0 } ? $"cpu:{device.index}" : device.ToString();
}
