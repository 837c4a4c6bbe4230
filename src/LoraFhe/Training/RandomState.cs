using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Torch's generator as bytes. It draws dropout and a user's shuffling; no secret comes from it.</summary>
internal static class RandomState
{
    public static byte[] Capture()
    {
        using var state = random.get_rng_state();
        return state.bytes.ToArray();
    }

    public static void Restore(byte[] state)
    {
        using var tensor = TorchSharp.torch.tensor(state);
        random.set_rng_state(tensor);
    }
}
