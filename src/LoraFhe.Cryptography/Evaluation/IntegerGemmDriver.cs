using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>The one driver of the integer product: packing, tiles, tails, threads, for vectors of any width.</summary>
/// <remarks>
/// A word is two balanced 16-bit limbs, a weight one 16-bit integer; outputs lie on the lanes, tokens are broadcast. A tile is two tokens by three vectors of outputs:
/// twelve sums, which sixteen registers hold beside a factor, two weight vectors and a product. Inputs come in blocks short enough that no 32-bit sum overflows
/// (<see cref="KernelBlocks"/>); after each block the sums are recombined modulo q and added to the target. Source: docs/scheme.md, Evaluation kernel.
/// </remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal sealed unsafe class IntegerGemmDriver<TVector> : IntegerGemm
    where TVector : unmanaged, IIntegerVector<TVector>
{
    private const int TileTokens = 2;
    private const int TileVectors = 3;
    private const int TileSums = TileTokens * TileVectors * 2;

    // A token's packed words are spaced by a cache line more than they need, so that tokens do not fall into the same cache sets.
    private const int RowGap = FeatureBlocks.Width;

    /// <inheritdoc/>
    public override string Name => TVector.Name;

    private static int PanelOutputs => TileVectors * TVector.Lanes;

    /// <inheritdoc/>
    public override PackedWeights Pack(QuantizedLayer layer, LayerDirection direction) =>
        new(layer, direction, PanelOutputs, KernelBlocks.Cut(layer, direction));

    /// <inheritdoc/>
    public override void Multiply(PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken)
    {
        Debug.Assert(source.Features == weights.Inputs && target.Features == weights.Outputs && source.Tokens == target.Tokens && maxThreads >= 1);
        var plan = WorkPlan.For(weights.Inputs, target.Tokens, weights.Panels, PanelOutputs, maxThreads);
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
                var (from, to) = (source, target);
                var options = new ParallelOptions { MaxDegreeOfParallelism = plan.Threads, CancellationToken = cancellationToken };
                Parallel.For(0, plan.Parts, options, part => MultiplyPart(weights, from, to, plan, part));
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

    private static void MultiplyPart(PackedWeights weights, in WordMatrix source, in WordMatrix target, in WorkPlan plan, int part)
    {
        var (firstToken, tokens) = plan.TokensOf(part);
        var (firstPanel, panels) = plan.PanelsOf(part);
        var longest = 0;
        for (var block = 0; block < weights.Blocks; block++)
        {
            longest = Math.Max(longest, weights.BlockLength(block));
        }

        var stride = longest + RowGap;
        var rented = ArrayPool<int>.Shared.Rent((tokens * stride) + FeatureBlocks.Width);
        fixed (int* memory = rented)
        {
            var packed = (int*)(((nuint)memory + NativeBuffer.Alignment - 1) & ~(nuint)(NativeBuffer.Alignment - 1));
            for (var block = 0; block < weights.Blocks; block++)
            {
                PackTokens(source, weights.BlockStart(block) / FeatureBlocks.Width, weights.BlockLength(block) / FeatureBlocks.Width, firstToken, tokens, packed, stride);
                for (var panel = firstPanel; panel < firstPanel + panels; panel++)
                {
                    MultiplyPanel(
                        weights.Panel(block, panel),
                        weights.BlockLength(block) / 2,
                        packed,
                        stride,
                        target,
                        panel * PanelOutputs,
                        firstToken,
                        tokens,
                        isFirst: block == 0,
                        isLast: block == weights.Blocks - 1);
                }
            }
        }

        ArrayPool<int>.Shared.Return(rented);
    }

    // Splits the words of some blocks and tokens into limbs, a token's pairs side by side: [token][pair of features][low pair, high pair].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackTokens(in WordMatrix source, int firstBlock, int blocks, int firstToken, int tokens, int* packed, int stride)
    {
        var centered = source.Centered;
        var narrow = stackalloc int[FeatureBlocks.Width];
        for (var block = 0; block < blocks; block++)
        {
            var width = source.Width(firstBlock + block);
            var words = source.At(firstBlock + block, firstToken);
            var line = packed + (block * FeatureBlocks.Width);
            for (var t = 0; t < tokens; t++)
            {
                var from = words;
                if (width < FeatureBlocks.Width)
                {
                    new ReadOnlySpan<int>(words, width).CopyTo(new Span<int>(narrow, FeatureBlocks.Width));
                    from = narrow;
                }

                for (var lane = 0; lane < FeatureBlocks.Width; lane += TVector.Lanes)
                {
                    var vector = TVector.Load(from + lane);
                    TVector.Store(TVector.SplitLimbs(centered ? vector : TVector.Center(vector)), line + lane);
                }

                words += width;
                line += stride;
            }
        }
    }

    private static void MultiplyPanel(
        short* weights, int pairs, int* packed, int stride, in WordMatrix target, int firstOutput, int firstToken, int tokens, bool isFirst, bool isLast)
    {
        var sums = stackalloc TVector[TileSums];
        var outputs = new PanelTarget<TVector>(target, firstOutput, isFirst, isLast && target.Centered);
        for (var t = 0; t < tokens; t += TileTokens)
        {
            // A last odd token is multiplied twice and written once.
            var row = packed + ((long)t * stride);
            var isPair = t + 1 < tokens;
            MultiplyTile(row, isPair ? row + stride : row, weights, pairs, sums);
            for (var vector = 0; vector < TileVectors; vector++)
            {
                outputs.Write(vector, firstToken + t, TVector.Recombine(sums[vector * 2], sums[(vector * 2) + 1]));
                if (isPair)
                {
                    var second = sums + (TileVectors * 2) + (vector * 2);
                    outputs.Write(vector, firstToken + t + 1, TVector.Recombine(second[0], second[1]));
                }
            }
        }
    }

    // sums[token][vector][low, high] over all pairs of a block.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTile(int* first, int* second, short* weights, int pairs, TVector* sums)
    {
        TVector low00 = TVector.Zero, low01 = TVector.Zero, low02 = TVector.Zero, high00 = TVector.Zero, high01 = TVector.Zero, high02 = TVector.Zero;
        TVector low10 = TVector.Zero, low11 = TVector.Zero, low12 = TVector.Zero, high10 = TVector.Zero, high11 = TVector.Zero, high12 = TVector.Zero;
        for (nint pair = 0; pair < pairs; pair++)
        {
            var w0 = TVector.Load(weights);
            var w1 = TVector.Load(weights + (2 * TVector.Lanes));
            var w2 = TVector.Load(weights + (4 * TVector.Lanes));
            weights += 6 * TVector.Lanes;
            var factor = TVector.Broadcast(first[2 * pair]);
            low00 = TVector.MultiplyAddPairs(low00, factor, w0);
            low01 = TVector.MultiplyAddPairs(low01, factor, w1);
            low02 = TVector.MultiplyAddPairs(low02, factor, w2);
            factor = TVector.Broadcast(first[(2 * pair) + 1]);
            high00 = TVector.MultiplyAddPairs(high00, factor, w0);
            high01 = TVector.MultiplyAddPairs(high01, factor, w1);
            high02 = TVector.MultiplyAddPairs(high02, factor, w2);
            factor = TVector.Broadcast(second[2 * pair]);
            low10 = TVector.MultiplyAddPairs(low10, factor, w0);
            low11 = TVector.MultiplyAddPairs(low11, factor, w1);
            low12 = TVector.MultiplyAddPairs(low12, factor, w2);
            factor = TVector.Broadcast(second[(2 * pair) + 1]);
            high10 = TVector.MultiplyAddPairs(high10, factor, w0);
            high11 = TVector.MultiplyAddPairs(high11, factor, w1);
            high12 = TVector.MultiplyAddPairs(high12, factor, w2);
        }

        sums[0] = low00;
        sums[1] = high00;
        sums[2] = low01;
        sums[3] = high01;
        sums[4] = low02;
        sums[5] = high02;
        sums[6] = low10;
        sums[7] = high10;
        sums[8] = low11;
        sums[9] = high11;
        sums[10] = low12;
        sums[11] = high12;
    }
}
