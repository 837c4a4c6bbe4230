namespace LoraFhe.Cryptography.Client;

/// <summary>Makes one call's mask before its rows are there: draws the secret, then encrypts rows of zeros, which is ⟨a, s⟩ + e, and multiplies the hint by s.</summary>
internal sealed unsafe class MaskMaker
{
    private const int Width = FeatureBlocks.Width;

    private readonly ClientKernel _kernel;
    private readonly ResponseVerifier _verifier;
    private readonly OneTimeSecret _secret;
    private readonly ScratchPool _scratch;
    private readonly int _maxThreads;

    /// <summary>Takes what outlives the making.</summary>
    public MaskMaker(ClientKernel kernel, ResponseVerifier verifier, OneTimeSecret secret, ScratchPool scratch, int maxThreads) =>
        (_kernel, _verifier, _secret, _scratch, _maxThreads) = (kernel, verifier, secret, scratch, maxThreads);

    /// <summary>Draws the secret and fills the message with ⟨a, s⟩ + e, the check's right side with what the errors add to it.</summary>
    /// <param name="root">The call's root.</param>
    /// <param name="keyContext">What binds keys to the product.</param>
    /// <param name="matrix">A.</param>
    /// <param name="features">The product's inputs.</param>
    /// <param name="words">The message's words.</param>
    /// <param name="secrets">Where memory for the keys comes from.</param>
    public void MaskRequest(ReadOnlySpan<byte> root, ReadOnlySpan<byte> keyContext, PublicMatrix matrix, int features, int* words, SecretMemoryPool secrets)
    {
        _secret.BeginMask();
        var keys = secrets.Rent(_secret.Groups.Length * KeyDerivation.KeySize);
        try
        {
            Encryptor.DrawSecrets(_kernel, _secret, root, keyContext, _scratch, keys.Bytes);
            var residues = new CheckResidues(_secret.CheckValues, _secret.Groups.Length);
            var errorKeys = keys.Pointer;
            Run(FeatureBlocks.Count(features), _secret.Groups.Length, (state, block, g) =>
            {
                var group = _secret.Groups[g];
                var width = FeatureBlocks.BlockWidth(block, features);
                var destination = words + FeatureBlocks.BlockStart(block, _secret.Tokens) + ((long)group.First * width);
                Encryptor.DrawErrors(state.ErrorStream(g, errorKeys), block, group.Tokens, state.Scratch);
                Mask(state.Scratch, matrix.BlockPointer(block), g, width == Width ? destination : state.Scratch.Words);
                residues.Add(g, state.Scratch.FeatureSums, _verifier.InputWeights + (block * Width * ResponseVerifier.Vectors));
                for (var t = 0; width != Width && t < group.Tokens; t++)
                {
                    new ReadOnlySpan<int>(state.Scratch.Words + (t * Width), width).CopyTo(new Span<int>(destination + (t * width), width));
                }
            });
        }
        finally
        {
            secrets.Return(keys);
        }
    }

    /// <summary>Fills <see cref="OneTimeSecret.AnswerMasks"/> with ⟨h, s⟩.</summary>
    /// <param name="hint">H, in use.</param>
    public void MaskAnswer(Hint hint)
    {
        var masks = _secret.AnswerMasks;
        Run(FeatureBlocks.Count(hint.Outputs), groups: 0, (state, block, g) =>
            Mask(state.Scratch, hint.BlockPointer(block), g, masks + (((long)block * _secret.Tokens) + _secret.Groups[g].First) * Width));
    }

    private void Run(int blocks, int groups, Action<CallWorker, int, int> work)
    {
        var workers = new CallWorker?[BlockWorkers.Count(blocks, _maxThreads)];
        try
        {
            BlockWorkers.Run(blocks, _maxThreads, (worker, block) =>
            {
                var state = workers[worker] ??= new CallWorker(_scratch, groups);
                for (var g = 0; g < _secret.Groups.Length; g++)
                {
                    work(state, block, g);
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

    /// <summary>One block of one group: zeros encrypted under A's or H's block and the errors in the room, which are zeros if none were drawn.</summary>
    private void Mask(WorkerScratch scratch, uint* matrix, int g, int* words)
    {
        var group = _secret.Groups[g];

        // The room's rows are zero, and any scale of zero is zero.
        var zeros = scratch.Rows;
        _kernel.Encrypt(new BlockWork
        {
            Matrix = matrix,
            Factors = _secret.Factors(g),
            Degree = group.Degree,
            Tokens = group.Tokens,
            Words = words,
            Rows = zeros,
            RowStride = Width,
            TokenScales = (double*)zeros,
            Channels = (double*)zeros,
            Errors = scratch.Errors,
            TokenWeights = _secret.TokenWeights + (group.First * ResponseVerifier.TokenStride),
            FeatureSums = scratch.FeatureSums,
            Scratch = scratch.Mask,
        });
    }
}
