using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>The one driver of the integer product: packing, tiles, tails, threads, for vectors of any width.</summary>
/// <remarks>
/// A word is two balanced 16-bit limbs, a weight one 16-bit integer; outputs lie on the lanes, tokens are broadcast. A tile is two tokens
/// by two vectors of outputs:
/// eight sums, which sixteen registers hold beside two weight vectors, a factor and a product with room to spare (with three vectors
/// RyuJIT spills; where it has
/// 32 registers, three are no faster). Inputs come in blocks short enough that no 32-bit sum overflows
/// (<see cref="KernelBlocks"/>); after each block the sums are recombined modulo q and added to the target. Source: docs/scheme.md,
/// Evaluation kernel.
/// </remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal sealed unsafe class IntegerGemmDriver<TVector> : IntegerGemm
    where TVector : unmanaged, IIntegerVector<TVector>
{
    private const int TileTokens = 2;
    private const int TileVectors = 2;
    private const int TileSums = TileTokens * TileVectors * 2;

    // A token's packed words are spaced by a cache line more than they need, so that tokens do not fall into the same cache sets.
    private const int RowGap = FeatureBlocks.Width;

    /// <inheritdoc/>
    public override string Name => TVector.Name;

    private static int PanelOutputs => TileVectors * TVector.Lanes;

    /// <inheritdoc/>
    public override PackedWeights Pack(QuantizedLayer layer, LayerDirection direction, int maxThreads) =>
        new(layer, direction, PanelOutputs, KernelBlocks.Cut(layer, direction), maxThreads);

    /// <inheritdoc/>
    public override void Multiply(
        PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken)
    {
        Debug.Assert(source.Features == weights.Inputs && target.Features == weights.Outputs);
        Debug.Assert(source.Tokens == target.Tokens && maxThreads >= 1);
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
                PackTokens(source, weights.BlockStart(block), weights.BlockLength(block), firstToken, tokens, packed, stride);
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

    // Splits the words of some features (multiples of 16) and tokens into limbs: [token][pair of features][low pair, high pair].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackTokens(in WordMatrix source, int firstFeature, int features, int firstToken, int tokens, int* packed, int stride)
    {
        var centered = source.Centered;
        var narrow = stackalloc int[FeatureBlocks.Width];
        for (var feature = 0; feature < features; feature += FeatureBlocks.Width)
        {
            var block = (firstFeature + feature) / FeatureBlocks.Width;
            var width = source.Width(block);
            var words = source.At(block, firstToken);
            var line = packed + feature;
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
        var sums = stackalloc TVector[TileSums];
        var center = isLast && target.Centered;
        var left = new VectorTarget<TVector>(target, firstOutput, firstToken, isFirst, center);
        var right = new VectorTarget<TVector>(target, firstOutput + TVector.Lanes, firstToken, isFirst, center);
        var t = 0;
        for (; t + 1 < tokens; t += TileTokens)
        {
            MultiplyTile(packed, packed + stride, weights, pairs, sums);
            left.Write(t, TVector.Recombine(sums[0], sums[2]));
            right.Write(t, TVector.Recombine(sums[1], sums[3]));
            left.Write(t + 1, TVector.Recombine(sums[4], sums[6]));
            right.Write(t + 1, TVector.Recombine(sums[5], sums[7]));
            packed += TileTokens * stride;
        }

        if (t < tokens)
        {
            // A last odd token is multiplied twice and written once.
            MultiplyTile(packed, packed, weights, pairs, sums);
            left.Write(t, TVector.Recombine(sums[0], sums[2]));
            right.Write(t, TVector.Recombine(sums[1], sums[3]));
        }
    }

    // sums[token][low, high][vector] over all pairs of a block. |weight| summed over a block ≤ 45588 and |limb| ≤ 2¹⁵: no lane leaves (−q,
    // q).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTile(int* first, int* second, short* weights, int pairs, TVector* sums)
    {
        TVector low00 = TVector.Zero, low01 = TVector.Zero, high00 = TVector.Zero, high01 = TVector.Zero;
        TVector low10 = TVector.Zero, low11 = TVector.Zero, high10 = TVector.Zero, high11 = TVector.Zero;
        for (var end = first + (2 * pairs); first != end; first += 2)
        {
            var left = TVector.Load(weights);
            var right = TVector.Load(weights + (2 * TVector.Lanes));
            var factor = TVector.Broadcast(first[0]);
            low00 = TVector.MultiplyAddPairs(low00, factor, left);
            low01 = TVector.MultiplyAddPairs(low01, factor, right);
            factor = TVector.Broadcast(first[1]);
            high00 = TVector.MultiplyAddPairs(high00, factor, left);
            high01 = TVector.MultiplyAddPairs(high01, factor, right);
            factor = TVector.Broadcast(second[0]);
            low10 = TVector.MultiplyAddPairs(low10, factor, left);
            low11 = TVector.MultiplyAddPairs(low11, factor, right);
            factor = TVector.Broadcast(second[1]);
            high10 = TVector.MultiplyAddPairs(high10, factor, left);
            high11 = TVector.MultiplyAddPairs(high11, factor, right);
            weights += 4 * TVector.Lanes;
            second += 2;
        }

        sums[0] = low00;
        sums[1] = low01;
        sums[2] = high00;
        sums[3] = high01;
        sums[4] = low10;
        sums[5] = low11;
        sums[6] = high10;
        sums[7] = high11;
    }
}
