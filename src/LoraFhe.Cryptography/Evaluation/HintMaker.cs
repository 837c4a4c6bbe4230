namespace LoraFhe.Cryptography;

/// <summary>Makes a hint, H = W·A modulo q: what the data owner keeps of one layer and direction, and subtracts from every
/// response.</summary>
/// <remarks>The same integer product as the server's, with A's 1536 columns in the place of tokens. Since W is scalar, one H serves every
/// ring degree.
/// Safe for use by several threads. Source: docs/scheme.md, Hint.</remarks>
public static unsafe class HintMaker
{
    /// <summary>Words of a hint: 16·⌈outputs/16⌉·1536.</summary>
    public static long HintWords(int outputs) => FeatureBlocks.PaddedWords(outputs, EncryptedLinearParameters.SecretDimension);

    /// <summary>Makes the hint of one layer and direction.</summary>
    /// <param name="layer">The frozen layer's integers.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="a">The public matrix, with at least as many rows as the product has inputs.</param>
    /// <param name="hint">Exactly <see cref="HintWords"/> words, [⌈outputs/16⌉][1536][16]: words below q, the lanes past the last output
    /// zero.</param>
    /// <param name="maxThreads">The most threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops between parts of the work; the hint is then not whole.</param>
    /// <exception cref="ArgumentException"><paramref name="a"/> has too few rows or <paramref name="hint"/> another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxThreads"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static void Make(
        QuantizedLayer layer,
        LayerDirection direction,
        PublicMatrix a,
        Span<uint> hint,
        int maxThreads = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(a);
        var threads = ThreadCount.Resolve(maxThreads, nameof(maxThreads));
        if (a.Rows < layer.Inputs(direction))
        {
            throw Errors.PublicMatrixRows(new LayerId(layer.Name, direction), a.Rows, layer.Inputs(direction), nameof(a));
        }

        if (hint.Length != HintWords(layer.Outputs(direction)))
        {
            throw Errors.DestinationSize(hint.Length, HintWords(layer.Outputs(direction)), nameof(hint));
        }

        MakeCore(GemmKernels.Choice.Kernel, layer, direction, a, hint, threads, cancellationToken);
    }

    /// <summary>Makes a hint with a given kernel; the arguments are checked.</summary>
    internal static void MakeCore(
        IntegerGemm kernel,
        QuantizedLayer layer,
        LayerDirection direction,
        PublicMatrix a,
        Span<uint> hint,
        int threads,
        CancellationToken cancellationToken)
    {
        const int columns = EncryptedLinearParameters.SecretDimension;
        using var weights = kernel.Pack(layer, direction, threads);
        var held = false;
        try
        {
            a.Buffer.DangerousAddRef(ref held);
            fixed (uint* target = hint)
            {
                // A's rows past the product's inputs meet weights that are zero.
                kernel.Multiply(
                    weights,
                    WordMatrix.Padded((uint*)a.Buffer.Pointer, weights.Inputs, columns),
                    WordMatrix.Padded(target, weights.Outputs, columns),
                    threads,
                    cancellationToken);
            }
        }
        finally
        {
            if (held)
            {
                a.Buffer.DangerousRelease();
            }
        }
    }
}
