namespace LoraFhe.Cryptography.Client;

/// <summary>One call under way: the message to send, and what will read its answer.</summary>
/// <remarks>A transport that failed may send the same message again; nothing else may be sent for it.</remarks>
public sealed class EncryptedCall : IDisposable
{
    internal EncryptedCall(Ciphertext ciphertext, PendingDecryption decryption)
    {
        Ciphertext = ciphertext;
        Decryption = decryption;
    }

    /// <summary>The message for the server. It holds nothing secret and may be disposed once it is sent.</summary>
    public Ciphertext Ciphertext { get; }

    /// <summary>Reads the answer, once.</summary>
    public PendingDecryption Decryption { get; }

    /// <summary>Frees the message and zeroes the secret, if it was not spent. A reading under way on another thread zeroes it at its end.</summary>
    public void Dispose()
    {
        Ciphertext.Dispose();
        Decryption.Dispose();
    }
}
