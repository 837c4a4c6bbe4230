using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>The client's half of one product, and which of the server's it belongs to.</summary>
internal sealed record RemoteProduct(int Number, EncryptedLinearClient Client, Hint Hint) : IDisposable
{
    public void Dispose()
    {
        Client.Dispose();
        Hint.Dispose();
    }
}
