namespace LoraFhe.Benchmarks;

/// <summary>Seconds of an encrypted product and of a clear one right after it.</summary>
/// <param name="Encrypt">The client's first part.</param>
/// <param name="Server">The integer product.</param>
/// <param name="Decrypt">The client's second part, the check of the response included.</param>
/// <param name="Clear">libtorch's float32 <c>linear</c> of the same shape.</param>
internal readonly record struct ProductPair(double Encrypt, double Server, double Decrypt, double Clear)
{
    public double Client => Encrypt + Decrypt;

    public double Whole => Client + Server;
}
