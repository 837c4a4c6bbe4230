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
        if (!IsAvailable(device))
        {
            throw new NotSupportedException(Errors.DeviceUnavailable(device.ToString()));
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

    private static bool IsAvailable(Device device) => device.type switch
    {
        DeviceType.CPU => true,
        DeviceType.CUDA => cuda.is_available() && device.index < cuda.device_count(),
        DeviceType.MPS => mps_is_available(),
        _ => false,
    };
}
