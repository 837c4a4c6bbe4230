namespace LoraFhe.Cryptography.Client;

/// <summary>One answer's decryption: every block of 16 outputs for every group of tokens, checked as a whole.</summary>
internal sealed unsafe class Decryptor
{
    private readonly ClientKernel _kernel;
    private readonly Hint _hint;
    private readonly ResponseVerifier _verifier;
    private readonly OneTimeSecret _secret;
    private readonly int* _words;
    private readonly float* _destination;
    private readonly double* _channels;
    private readonly int _features;
    private readonly int _tokens;

    /// <summary>Takes what outlives the call; all pointers stay valid while <see cref="Run"/> runs.</summary>
    public Decryptor(
        ClientKernel kernel,
        Hint hint,
        ResponseVerifier verifier,
        OneTimeSecret secret,
        int* words,
        float* destination,
        double* channels,
        int features)
    {
        (_kernel, _hint, _verifier, _secret) = (kernel, hint, verifier, secret);
        _words = words;
        _destination = destination;
        _channels = channels;
        _features = features;
        _tokens = secret.Tokens;
    }

    /// <summary>Decrypts into the destination.</summary>
    /// <returns>Whether the answer is the product of these weights and the request. If not, the destination must not be used.</returns>
    public bool Run(ScratchPool scratch, SecretMemoryPool secrets, int maxThreads)
    {
        var temporary = secrets.Rent(CheckResidues.SizeOf(_secret.Groups.Length));
        try
        {
            var residues = new CheckResidues((uint*)temporary.Pointer, _secret.Groups.Length);
            DecryptBlocks(residues, scratch, maxThreads);
            return ResponseVerifier.Agree(CheckResidues.Read(_secret.CheckValues, _secret.Groups.Length), residues.Values);
        }
        finally
        {
            secrets.Return(temporary);
        }
    }

    private void DecryptBlocks(CheckResidues residues, ScratchPool pool, int maxThreads)
    {
        var blocks = FeatureBlocks.Count(_features);
        var workers = new CallWorker?[BlockWorkers.Count(blocks, maxThreads)];
        try
        {
            BlockWorkers.Run(blocks, maxThreads, (worker, block) =>
            {
                var state = workers[worker] ??= new CallWorker(pool, groups: 0);
                var next = Math.Min(block + workers.Length, blocks - 1);
                for (var g = 0; g < _secret.Groups.Length; g++)
                {
                    DecryptBlock(state.Scratch, residues, block, next, g);
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

    private void DecryptBlock(WorkerScratch scratch, CheckResidues residues, int block, int next, int g)
    {
        var group = _secret.Groups[g];
        var width = FeatureBlocks.BlockWidth(block, _features);
        var rows = _destination + ((long)group.First * _features) + (block * FeatureBlocks.Width);
        var words = _words + FeatureBlocks.BlockStart(block, _tokens) + ((long)group.First * width);
        var whole = width == FeatureBlocks.Width;
        if (!whole)
        {
            for (var t = 0; t < group.Tokens; t++)
            {
                var padded = new Span<int>(scratch.Words + (t * FeatureBlocks.Width), FeatureBlocks.Width);
                new ReadOnlySpan<int>(words + (t * width), width).CopyTo(padded);
                padded[width..].Clear();
            }
        }

        var work = new BlockWork
        {
            Matrix = _hint.BlockPointer(block),
            NextMatrix = _hint.BlockPointer(g + 1 < _secret.Groups.Length ? block : next),
            Factors = _secret.Factors(g),
            Degree = group.Degree,
            Tokens = group.Tokens,
            Words = whole ? words : scratch.Words,
            Rows = whole ? rows : scratch.Rows,
            RowStride = whole ? _features : FeatureBlocks.Width,
            TokenScales = _secret.InverseScales + group.First,
            Channels = _channels + (block * FeatureBlocks.Width),
            TokenWeights = _secret.TokenWeights + (group.First * ResponseVerifier.TokenStride),
            FeatureSums = scratch.FeatureSums,
            Scratch = scratch.Mask,
        };
        if (_secret.AnswerMasks is var masks && masks is not null)
        {
            work.Masks = masks + ((((long)block * _tokens) + group.First) * FeatureBlocks.Width);
            _kernel.SubtractMask(work);
        }
        else
        {
            _kernel.Decrypt(work);
        }

        residues.Add(g, scratch.FeatureSums, _verifier.OutputWeights + (block * FeatureBlocks.Width * ResponseVerifier.Vectors));
        if (!whole)
        {
            for (var t = 0; t < group.Tokens; t++)
            {
                new ReadOnlySpan<float>(scratch.Rows + (t * FeatureBlocks.Width), width).CopyTo(new Span<float>(rows + ((long)t * _features), width));
            }
        }
    }
}
