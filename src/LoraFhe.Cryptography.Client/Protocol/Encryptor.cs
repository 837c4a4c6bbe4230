using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>One call's encryption: scales, keys, secrets, then every block of 16 features for every group of tokens, straight into the message.</summary>
internal sealed unsafe class Encryptor
{
    private const int Dimension = EncryptedLinearParameters.SecretDimension;

    private readonly ClientKernel _kernel;
    private readonly PublicMatrix _matrix;
    private readonly ResponseVerifier _verifier;
    private readonly TokenEncoder _encoder;
    private readonly LayerId _layer;
    private readonly OneTimeSecret _secret;
    private readonly float* _rows;
    private readonly int* _words;
    private readonly double* _channels;
    private readonly int _maxThreads;
    private readonly int _features;
    private readonly int _tokens;

    /// <summary>Takes what outlives the call; all pointers stay valid while <see cref="Run"/> runs.</summary>
    public Encryptor(
        ClientKernel kernel,
        PublicMatrix matrix,
        ResponseVerifier verifier,
        TokenEncoder encoder,
        LayerId layer,
        OneTimeSecret secret,
        float* rows,
        int* words,
        double* channels,
        int maxThreads)
    {
        (_kernel, _matrix, _verifier, _encoder, _layer, _secret) = (kernel, matrix, verifier, encoder, layer, secret);
        _rows = rows;
        _words = words;
        _channels = channels;
        _maxThreads = maxThreads;
        _features = encoder.Features;
        _tokens = secret.Tokens;
    }

    /// <summary>Encrypts.</summary>
    /// <returns>How many rows were longer than the calibrated norm.</returns>
    /// <exception cref="ArgumentException">A value is not finite; no secret was drawn.</exception>
    public long Run(SecretSource source, ReadOnlySpan<byte> keyContext, ScratchPool scratch, SecretMemoryPool secrets)
    {
        _secret.BeginEncryption();
        var temporary = secrets.Rent((_tokens * sizeof(double)) + (_secret.Groups.Length * KeyDerivation.KeySize));
        try
        {
            var scales = (double*)temporary.Pointer;
            var errorKeys = temporary.Bytes.Slice(_tokens * sizeof(double), _secret.Groups.Length * KeyDerivation.KeySize);
            var clamped = MeasureAndDraw(source, keyContext, scratch, scales, errorKeys);
            EncryptBlocks(scales, temporary.Pointer + (_tokens * sizeof(double)), scratch);
            return clamped;
        }
        finally
        {
            secrets.Return(temporary);
        }
    }

    private long MeasureAndDraw(SecretSource source, ReadOnlySpan<byte> keyContext, ScratchPool scratch, double* scales, Span<byte> errorKeys)
    {
        // The rows are read once for their norms and their tags together, a stretch at a time while it is in the cache.
        var stretchRows = RowTags.StretchRows(_features);
        var stretches = ((_tokens - 1) / stretchRows) + 1;
        var tags = new byte[stretches * RowTags.TagSize];
        var clamped = 0L;
        var allFinite = 1;
        Span<byte> root = stackalloc byte[KeyDerivation.KeySize];
        try
        {
            using (var tagger = new RowTags(source))
            {
                BlockWorkers.Run(stretches, _maxThreads, (_, stretch) =>
                {
                    var first = stretch * stretchRows;
                    var count = Math.Min(stretchRows, _tokens - first);
                    var rows = new ReadOnlySpan<float>(_rows + ((long)first * _features), count * _features);
                    var (finite, longer) = _encoder.Measure(rows, new Span<double>(scales + first, count), new Span<double>(_secret.InverseScales + first, count));
                    Interlocked.And(ref allFinite, finite ? 1 : 0);
                    Interlocked.Add(ref clamped, longer);
                    tagger.Compute(stretch, MemoryMarshal.AsBytes(rows), tags.AsSpan(stretch * RowTags.TagSize, RowTags.TagSize));
                });
            }

            if (allFinite == 0)
            {
                throw Errors.NotFinite(_layer, "rows");
            }

            source.DrawRoot(_layer, tags, root);
            DrawSecrets(_kernel, _secret, root, keyContext, scratch, errorKeys);
            return clamped;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }
    }

    /// <summary>Every group's s, in coefficients and in values times 2³²/r, and the key of its errors.</summary>
    internal static void DrawSecrets(
        ClientKernel kernel, OneTimeSecret secret, ReadOnlySpan<byte> root, ReadOnlySpan<byte> keyContext, ScratchPool pool, Span<byte> errorKeys)
    {
        const int randomBytes = Dimension / CenteredBinomial.Batch * CenteredBinomial.SecretBatchBytes;
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        var scratch = pool.Rent();
        try
        {
            for (var g = 0; g < secret.Groups.Length; g++)
            {
                var degree = secret.Groups[g].Degree;
                KeyDerivation.Group(root, KeyPurpose.Error, keyContext, g, degree, errorKeys.Slice(g * KeyDerivation.KeySize, KeyDerivation.KeySize));
                KeyDerivation.Group(root, KeyPurpose.Secret, keyContext, g, degree, key);
                using (var stream = SecretStream.Create(key))
                {
                    stream.Fill(0, 0, scratch.Random, randomBytes);
                }

                var coefficients = new Span<sbyte>(secret.Coefficients(g), Dimension);
                CenteredBinomial.Secrets(scratch.Random.AsSpan(0, randomBytes), coefficients);
                Transform(kernel, coefficients, secret.Factors(g), degree);
            }

            KeyDerivation.Group(root, KeyPurpose.Check, keyContext, group: 0, degree: 0, key);
            ResponseVerifier.DrawTokenWeights(key, scratch, new Span<int>(secret.TokenWeights, secret.Tokens * ResponseVerifier.TokenStride));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            pool.Return(scratch);
        }
    }

    private static void Transform(ClientKernel kernel, ReadOnlySpan<sbyte> coefficients, uint* factors, int degree)
    {
        var transform = NegacyclicTransform.OfDegree(degree);
        var scale = Modular.Multiply(Modular.MontgomeryOne, transform.DegreeInverse);
        var quotient = Modular.ShoupQuotient(scale);
        for (var i = 0; i < Dimension; i++)
        {
            factors[i] = SecretWord.Multiply(Modular.FromCentered(coefficients[i]), scale, quotient);
        }

        for (var i = 0; i < Dimension; i += degree)
        {
            kernel.Transform(factors + i, degree);
        }
    }

    private void EncryptBlocks(double* scales, byte* errorKeys, ScratchPool pool)
    {
        var blocks = FeatureBlocks.Count(_features);
        var residues = new CheckResidues(_secret.CheckValues, _secret.Groups.Length);
        var workers = new CallWorker?[BlockWorkers.Count(blocks, _maxThreads)];
        try
        {
            BlockWorkers.Run(blocks, _maxThreads, (worker, block) =>
            {
                var state = workers[worker] ??= new CallWorker(pool, _secret.Groups.Length);
                var next = Math.Min(block + workers.Length, blocks - 1);
                for (var g = 0; g < _secret.Groups.Length; g++)
                {
                    EncryptBlock(state, residues, block, next, g, scales, errorKeys);
                }
            });
        }
        finally
        {
            foreach (var worker in workers)
            {
                worker?.Dispose();
            }
        }
    }

    private void EncryptBlock(CallWorker state, CheckResidues residues, int block, int next, int g, double* scales, byte* errorKeys)
    {
        var group = _secret.Groups[g];
        var scratch = state.Scratch;
        DrawErrors(state.ErrorStream(g, errorKeys), block, group.Tokens, scratch);

        var width = FeatureBlocks.BlockWidth(block, _features);
        var rows = _rows + ((long)group.First * _features) + (block * FeatureBlocks.Width);
        var words = _words + FeatureBlocks.BlockStart(block, _tokens) + ((long)group.First * width);
        var whole = width == FeatureBlocks.Width;
        if (!whole)
        {
            Pad(rows, group.Tokens, width, scratch.Rows);
        }

        var work = new BlockWork
        {
            Matrix = _matrix.BlockPointer(block),
            NextMatrix = _matrix.BlockPointer(g + 1 < _secret.Groups.Length ? block : next),
            Factors = _secret.Factors(g),
            Degree = group.Degree,
            Tokens = group.Tokens,
            Words = whole ? words : scratch.Words,
            Rows = whole ? rows : scratch.Rows,
            RowStride = whole ? _features : FeatureBlocks.Width,
            TokenScales = scales + group.First,
            Channels = _channels + (block * FeatureBlocks.Width),
            Errors = scratch.Errors,
            TokenWeights = _secret.TokenWeights + (group.First * ResponseVerifier.TokenStride),
            FeatureSums = scratch.FeatureSums,
            Scratch = scratch.Mask,
        };
        _kernel.Encrypt(work);
        residues.Add(g, scratch.FeatureSums, _verifier.InputWeights + (block * FeatureBlocks.Width * ResponseVerifier.Vectors));
        if (!whole)
        {
            for (var t = 0; t < group.Tokens; t++)
            {
                new ReadOnlySpan<int>(scratch.Words + (t * FeatureBlocks.Width), width).CopyTo(new Span<int>(words + (t * width), width));
            }
        }
    }

    /// <summary>Errors of one block: the group's stream number b, 42 bits a sample, token after token.</summary>
    internal static void DrawErrors(SecretStream stream, int block, int tokens, WorkerScratch scratch)
    {
        const int batchTokens = CenteredBinomial.Batch / FeatureBlocks.Width;
        const int batchBlocks = CenteredBinomial.ErrorBatchBytes / SecretStream.BlockSize;
        Debug.Assert(CenteredBinomial.ErrorBatchBytes % SecretStream.BlockSize == 0);
        var batches = ((tokens - 1) / batchTokens) + 1;
        const int step = WorkerScratch.RandomTokens / batchTokens;
        for (var batch = 0; batch < batches; batch += step)
        {
            var count = Math.Min(step, batches - batch);
            stream.Fill((uint)block, (uint)(batch * batchBlocks), scratch.Random, count * CenteredBinomial.ErrorBatchBytes);
            CenteredBinomial.Errors(
                scratch.Random.AsSpan(0, count * CenteredBinomial.ErrorBatchBytes),
                new Span<sbyte>(scratch.Errors + (batch * CenteredBinomial.Batch), count * CenteredBinomial.Batch));
        }
    }

    private void Pad(float* rows, int tokens, int width, float* padded)
    {
        for (var t = 0; t < tokens; t++)
        {
            var row = new Span<float>(padded + (t * FeatureBlocks.Width), FeatureBlocks.Width);
            new ReadOnlySpan<float>(rows + ((long)t * _features), width).CopyTo(row);
            row[width..].Clear();
        }
    }
}
