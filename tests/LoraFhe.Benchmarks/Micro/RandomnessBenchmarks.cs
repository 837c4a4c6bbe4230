using BenchmarkDotNet.Attributes;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>From a key to errors and secrets: the AES stream, and the sampler that counts its bits.</summary>
public class RandomnessBenchmarks : IDisposable
{
    // The errors of 128 tokens and 16 features, what an encryption draws at a time.
    private const int Errors = WorkerScratch.RandomTokens * FeatureBlocks.Width;

    private readonly SecretStream _secrets = SecretStream.Create(new byte[KeyDerivation.KeySize]);
    private readonly AesCounterStream _matrix = new(new byte[AesCounterStream.KeySize]);
    private readonly byte[] _random = GC.AllocateArray<byte>(WorkerScratch.RandomBytes, pinned: true);
    private readonly sbyte[] _samples = new sbyte[Errors];

    /// <summary>Random bytes of 2,048 errors: 10.5 KiB.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public void SecretBytes() => _secrets.Fill(0, 0, _random, _random.Length);

    /// <summary>As many bytes of the public matrix's stream.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public void MatrixBytes() => _matrix.Fill(0, 0, _random);

    /// <summary>2,048 errors, η = 21.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public void SampleErrors() => CenteredBinomial.Errors(_random, _samples);

    /// <summary>1,536 secret coefficients, η = 2.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public void SampleSecrets()
    {
        const int batches = EncryptedLinearParameters.SecretDimension / CenteredBinomial.Batch;
        CenteredBinomial.Secrets(_random.AsSpan(0, batches * CenteredBinomial.SecretBatchBytes), _samples.AsSpan(0, batches * CenteredBinomial.Batch));
    }

    /// <summary>Zeroes the keys.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _secrets.Dispose();
        _matrix.Dispose();
        GC.SuppressFinalize(this);
    }
}
