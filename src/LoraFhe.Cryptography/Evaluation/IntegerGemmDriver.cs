using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>The one driver of the integer product: packing, tiles, tails, threads, for vectors of any width.</summary>
/// <remarks>
/// A word is two balanced 16-bit limbs, a weight one 16-bit integer; outputs lie on the lanes, tokens are broadcast. A tile of a few tokens by
/// a few vectors of outputs keeps its sums in registers. Inputs come in blocks short enough that no 32-bit sum overflows
/// (<see cref="KernelBlocks"/>); after each block the sums are recombined modulo q and added to the target. Source: docs/scheme.md,
/// Evaluation kernel.
/// </remarks>
/// <param name="name">How the kernel is called in reports.</param>
/// <param name="strassenInputs">Inputs from which a Strassen level gains.</param>
/// <typeparam name="TVector">One register of the machine.</typeparam>
/// <typeparam name="TTile">The innermost loop that suits the machine's registers.</typeparam>
internal sealed unsafe class IntegerGemmDriver<TVector, TTile>(string name, int strassenInputs = 512) : IntegerGemm
    where TVector : unmanaged, IIntegerVector<TVector>
    where TTile : struct, IRegisterTile<TVector>
{
    // A token's packed words are spaced by a cache line more than they need, so that tokens do not fall into the same cache sets.
    private const int RowGap = FeatureBlocks.Width;

    // Blocks of features packed at once: with one, each line of a token's packed words lies on another page than the line before.
    private const int PackedBlocks = 4;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override int PanelOutputs => Outputs;

    /// <inheritdoc/>
    public override int StrassenInputs => strassenInputs;

    private static int Outputs => TTile.Vectors * TVector.Lanes;

    /// <inheritdoc/>
    public override PackedWeights Pack(QuantizedLayer layer, LayerDirection direction, int maxThreads) =>
        new(layer, direction, Outputs, KernelBlocks.Cut(layer, direction), maxThreads);

    /// <inheritdoc/>
    public override void Multiply(
        PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken)
    {
        Debug.Assert(source.Features == weights.Inputs && target.Features == weights.Outputs);
        Debug.Assert(source.Tokens == target.Tokens && maxThreads >= 1);
        var plan = WorkPlan.For(weights.Inputs, target.Tokens, weights.Panels, Outputs, maxThreads);
        var held = false;
        try
        {
            weights.Memory.DangerousAddRef(ref held);
            if (plan.Threads == 1)
            {
                for (var part = 0; part < plan.Parts; part++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    MultiplyPart(weights, source, target, plan, part);
                }
            }
            else
            {
                MultiplyParts(weights, source, target, plan, cancellationToken);
            }
        }
        finally
        {
            if (held)
            {
                weights.Memory.DangerousRelease();
            }
        }
    }

    // Apart from its caller, which allocates nothing on one thread.
    private static void MultiplyParts(PackedWeights weights, WordMatrix source, WordMatrix target, WorkPlan plan, CancellationToken cancellationToken) =>
        BlockWorkers.Run(plan.Parts, plan.Threads, (_, part) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            MultiplyPart(weights, source, target, plan, part);
        });

    private static void MultiplyPart(PackedWeights weights, in WordMatrix source, in WordMatrix target, in WorkPlan plan, int part)
    {
        var (firstToken, tokens) = plan.TokensOf(part);
        var (firstPanel, panels) = plan.PanelsOf(part);
        var longest = 0;
        for (var block = 0; block < weights.Blocks; block++)
        {
            longest = Math.Max(longest, weights.BlockLength(block));
        }

        // A last tile that is not full multiplies what happens to lie in the rows past the last token, and writes none of it.
        var rows = (tokens + TTile.Tokens - 1) / TTile.Tokens * TTile.Tokens;
        var stride = longest + RowGap;
        var rented = ArrayPool<int>.Shared.Rent((rows * stride) + FeatureBlocks.Width);
        fixed (int* memory = rented)
        {
            var packed = (int*)(((nuint)memory + NativeBuffer.Alignment - 1) & ~(nuint)(NativeBuffer.Alignment - 1));
            for (var block = 0; block < weights.Blocks; block++)
            {
                PackTokens(source, weights.BlockStart(block), weights.BlockLength(block), firstToken, tokens, packed, stride);
                for (var panel = firstPanel; panel < firstPanel + panels; panel++)
                {
                    MultiplyPanel(
                        weights.Panel(block, panel),
                        weights.BlockLength(block) / 2,
                        packed,
                        stride,
                        target,
                        panel * Outputs,
                        firstToken,
                        tokens,
                        isFirst: block == 0,
                        isLast: block == weights.Blocks - 1);
                }
            }
        }

        ArrayPool<int>.Shared.Return(rented);
    }

    // Splits the words of some features (multiples of 16) and tokens into limbs: [token][pair of features][low pair, high pair].
    private static void PackTokens(in WordMatrix source, int firstFeature, int features, int firstToken, int tokens, int* packed, int stride)
    {
        var (block, end) = (firstFeature / FeatureBlocks.Width, (firstFeature + features) / FeatureBlocks.Width);
        while (block < end)
        {
            var line = packed + (block * FeatureBlocks.Width) - firstFeature;
            var isWhole = block + PackedBlocks <= end && source.Width(block + PackedBlocks - 1) == FeatureBlocks.Width;
            if (isWhole)
            {
                PackBlocks(source, block, firstToken, tokens, line, stride);
            }
            else
            {
                PackBlock(source, block, firstToken, tokens, line, stride);
            }

            block += isWhole ? PackedBlocks : 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackBlocks(in WordMatrix source, int block, int firstToken, int tokens, int* line, int stride)
    {
        var centered = source.Centered;
        var words = source.At(block, firstToken);
        var step = source.At(block + 1, firstToken) - words;
        for (var t = 0; t < tokens; t++)
        {
            for (var b = 0; b < PackedBlocks; b++)
            {
                Pack(words + (b * step), line + (b * FeatureBlocks.Width), centered);
            }

            words += FeatureBlocks.Width;
            line += stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackBlock(in WordMatrix source, int block, int firstToken, int tokens, int* line, int stride)
    {
        var centered = source.Centered;
        var width = source.Width(block);
        var words = source.At(block, firstToken);
        var narrow = stackalloc int[FeatureBlocks.Width];
        for (var t = 0; t < tokens; t++)
        {
            if (width == FeatureBlocks.Width)
            {
                Pack(words, line, centered);
            }
            else
            {
                new ReadOnlySpan<int>(words, width).CopyTo(new Span<int>(narrow, FeatureBlocks.Width));
                Pack(narrow, line, centered);
            }

            words += width;
            line += stride;
        }
    }

    // One block of one token.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pack(int* words, int* line, bool centered)
    {
        for (var lane = 0; lane < FeatureBlocks.Width; lane += TVector.Lanes)
        {
            var vector = TVector.Load(words + lane);
            TVector.Store(TVector.SplitLimbs(centered ? vector : TVector.Center(vector)), line + lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPanel(
        short* weights,
        int pairs,
        int* packed,
        int stride,
        in WordMatrix target,
        int firstOutput,
        int firstToken,
        int tokens,
        bool isFirst,
        bool isLast)
    {
        var sums = stackalloc TVector[TTile.Tokens * 2 * TTile.Vectors];
        var targets = stackalloc VectorTarget<TVector>[TTile.Vectors];
        for (var v = 0; v < TTile.Vectors; v++)
        {
            targets[v] = new VectorTarget<TVector>(target, firstOutput + (v * TVector.Lanes), firstToken, isFirst, isLast && target.Centered);
        }

        for (var t = 0; t < tokens; t += TTile.Tokens)
        {
            TTile.Multiply(packed, stride, weights, pairs, sums);
            var count = Math.Min(TTile.Tokens, tokens - t);
            for (var i = 0; i < count; i++)
            {
                WriteToken(targets, t + i, sums + (i * 2 * TTile.Vectors));
            }

            packed += TTile.Tokens * stride;
        }
    }

    // sums[low, high][vector]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteToken(VectorTarget<TVector>* targets, int token, TVector* sums)
    {
        for (var v = 0; v < TTile.Vectors; v++)
        {
            targets[v].Write(token, TVector.Recombine(sums[v], sums[TTile.Vectors + v]));
        }
    }
}
