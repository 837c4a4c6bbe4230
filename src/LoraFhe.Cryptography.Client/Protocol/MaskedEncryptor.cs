namespace LoraFhe.Cryptography.Client;

/// <summary>One call's encryption with a mask made ahead: scales, then every block of 16 features of the rows, added where the mask lies in the message.</summary>
internal sealed unsafe class MaskedEncryptor
{
    private const int Width = FeatureBlocks.Width;

    private readonly ClientKernel _kernel;
    private readonly ResponseVerifier _verifier;
    private readonly TokenEncoder _encoder;
    private readonly OneTimeSecret _secret;
    private readonly float* _rows;
    private readonly int* _words;
    private readonly double* _channels;
    private readonly int _maxThreads;
    private readonly int _features;
    private readonly int _tokens;

    /// <summary>Takes what outlives the call; all pointers stay valid while <see cref="Run"/> runs.</summary>
    public MaskedEncryptor(
        ClientKernel kernel, ResponseVerifier verifier, TokenEncoder encoder, OneTimeSecret secret, float* rows, int* words, double* channels, int maxThreads)
    {
        (_kernel, _verifier, _encoder, _secret) = (kernel, verifier, encoder, secret);
        _rows = rows;
        _words = words;
        _channels = channels;
        _maxThreads = maxThreads;
        _features = encoder.Features;
        _tokens = secret.Tokens;
    }

    /// <summary>Encrypts.</summary>
    /// <returns>Whether all values are finite, and how many rows were longer than the calibrated norm. If not, the words are no message.</returns>
    public (bool Finite, long Clamped) Run(ScratchPool scratch, SecretMemoryPool secrets)
    {
        _secret.BeginEncryptionWithMask();
        var temporary = secrets.Rent(_tokens * sizeof(double));
        try
        {
            var scales = (double*)temporary.Pointer;
            var measured = Measure(scales);
            if (measured.Finite)
            {
                AddBlocks(scales, scratch);
            }

            return measured;
        }
        finally
        {
            secrets.Return(temporary);
        }
    }

    private (bool Finite, long Clamped) Measure(double* scales)
    {
        var stretchRows = RowTags.StretchRows(_features);
        var clamped = 0L;
        var allFinite = 1;
        BlockWorkers.Run(((_tokens - 1) / stretchRows) + 1, _maxThreads, (_, stretch) =>
        {
            var first = stretch * stretchRows;
            var count = Math.Min(stretchRows, _tokens - first);
            var rows = new ReadOnlySpan<float>(_rows + ((long)first * _features), count * _features);
            var (finite, longer) = _encoder.Measure(rows, new Span<double>(scales + first, count), new Span<double>(_secret.InverseScales + first, count));
            Interlocked.And(ref allFinite, finite ? 1 : 0);
            Interlocked.Add(ref clamped, longer);
        });
        return (allFinite != 0, clamped);
    }

    private void AddBlocks(double* scales, ScratchPool pool)
    {
        var blocks = FeatureBlocks.Count(_features);
        var residues = new CheckResidues(_secret.CheckValues, _secret.Groups.Length);
        var workers = new CallWorker?[BlockWorkers.Count(blocks, _maxThreads)];
        try
        {
            BlockWorkers.Run(blocks, _maxThreads, (worker, block) =>
            {
                var state = workers[worker] ??= new CallWorker(pool, groups: 0);
                for (var g = 0; g < _secret.Groups.Length; g++)
                {
                    AddBlock(state.Scratch, residues, block, g, scales);
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

    private void AddBlock(WorkerScratch scratch, CheckResidues residues, int block, int g, double* scales)
    {
        var group = _secret.Groups[g];
        var width = FeatureBlocks.BlockWidth(block, _features);
        var rows = _rows + ((long)group.First * _features) + (block * Width);
        var words = _words + FeatureBlocks.BlockStart(block, _tokens) + ((long)group.First * width);
        var whole = width == Width;
        for (var t = 0; !whole && t < group.Tokens; t++)
        {
            Pad(new ReadOnlySpan<float>(rows + ((long)t * _features), width), new Span<float>(scratch.Rows + (t * Width), Width));
            Pad(new ReadOnlySpan<int>(words + (t * width), width), new Span<int>(scratch.Words + (t * Width), Width));
        }

        _kernel.AddRows(new BlockWork
        {
            Tokens = group.Tokens,
            Words = whole ? words : scratch.Words,
            Rows = whole ? rows : scratch.Rows,
            RowStride = whole ? _features : Width,
            TokenScales = scales + group.First,
            Channels = _channels + (block * Width),
            TokenWeights = _secret.TokenWeights + (group.First * ResponseVerifier.TokenStride),
            FeatureSums = scratch.FeatureSums,
        });
        residues.Add(g, scratch.FeatureSums, _verifier.InputWeights + (block * Width * ResponseVerifier.Vectors));
        for (var t = 0; !whole && t < group.Tokens; t++)
        {
            new ReadOnlySpan<int>(scratch.Words + (t * Width), width).CopyTo(new Span<int>(words + (t * width), width));
        }
    }

    private static void Pad<T>(ReadOnlySpan<T> row, Span<T> padded)
    {
        row.CopyTo(padded);
        padded[row.Length..].Clear();
    }
}
