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

    /// <summary>Checks that a state is one of this libtorch's.</summary>
    /// <exception cref="InvalidDataException">It is not; the message names the file.</exception>
    public static void Check(byte[] state, string path)
    {
        if (state.Length != Capture().Length)
        {
            throw new InvalidDataException(Errors.CheckpointGenerator(path));
        }
    }

    public static void Restore(byte[] state)
    {
        using var tensor = TorchSharp.torch.tensor(state);
        random.set_rng_state(tensor);
    }
}
