using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>One product's weights in the order in which a kernel reads them: [block][panel][pair of inputs][output of the panel][2],
/// int16.</summary>
/// <remarks>Immutable once made. Both the last panel's missing outputs and the last block's missing inputs are zeros, which change no
/// sum.</remarks>
internal sealed unsafe class PackedWeights : IDisposable
{
    // Rows of a panel below which handing pieces to threads costs more than it saves.
    private const int MinParallelLines = 512;

    private readonly int[] _starts;
    private readonly int _panelOutputs;
    private readonly long _paddedOutputs;

    /// <summary>Packs a layer.</summary>
    /// <param name="layer">The weights.</param>
    /// <param name="direction">Which product.</param>
    /// <param name="panelOutputs">Outputs of a panel: what the kernel computes at once.</param>
    /// <param name="starts">The blocks' first inputs, then the padded number of inputs.</param>
    /// <param name="threads">The most threads, at least 1.</param>
    public PackedWeights(QuantizedLayer layer, LayerDirection direction, int panelOutputs, int[] starts, int threads)
    {
        _starts = starts;
        _panelOutputs = panelOutputs;
        Inputs = layer.Inputs(direction);
        Outputs = layer.Outputs(direction);

        // Panels cover whole blocks of 16 outputs, so that a padded target's padding is written too.
        Panels = (int)((((long)FeatureBlocks.Count(Outputs) * FeatureBlocks.Width) + panelOutputs - 1) / panelOutputs);
        _paddedOutputs = (long)Panels * panelOutputs;
        Memory = NativeBuffer.AllocateZeroed(_paddedOutputs * starts[^1] * sizeof(short));
        Fill(layer, direction, threads);
    }

    /// <summary>Input features.</summary>
    public int Inputs { get; }

    /// <summary>Output features.</summary>
    public int Outputs { get; }

    /// <summary>Panels of outputs.</summary>
    public int Panels { get; }

    /// <summary>Blocks of inputs.</summary>
    public int Blocks => _starts.Length - 1;

    /// <summary>The memory; whoever multiplies holds a reference.</summary>
    public NativeBuffer Memory { get; }

    /// <summary>A block's first input, a multiple of 16.</summary>
    public int BlockStart(int block) => _starts[block];

    /// <summary>A block's inputs, a multiple of 16.</summary>
    public int BlockLength(int block) => _starts[block + 1] - _starts[block];

    /// <summary>The first weight of one panel in one block.</summary>
    public short* Panel(int block, int panel) =>
        (short*)Memory.Pointer + (_starts[block] * _paddedOutputs) + ((long)panel * BlockLength(block) * _panelOutputs);

    /// <summary>Frees the memory, once no product holds a reference.</summary>
    public void Dispose() => Memory.Dispose();

    // Real outputs of a panel: fewer in the last ones.
    private int OutputsOf(int panel) => Math.Clamp(Outputs - (panel * _panelOutputs), 0, _panelOutputs);

    private void Fill(QuantizedLayer layer, LayerDirection direction, int threads)
    {
        var pieces = Blocks * Panels;
        var isSmall = pieces * (long)_panelOutputs < MinParallelLines;
        BlockWorkers.Run(pieces, isSmall ? 1 : threads, (_, piece) => FillPiece(layer, direction, piece));
    }

    private void FillPiece(QuantizedLayer layer, LayerDirection direction, int piece)
    {
        var (block, panel) = (piece / Panels, piece % Panels);
        if (direction == LayerDirection.Forward)
        {
            FillFromRows(layer, block, panel);
        }
        else
        {
            FillFromColumns(layer, block, panel);
        }
    }

    // Forward: an output is a row of the codes; its inputs lie side by side, and a pair is copied as one 32-bit value.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillFromRows(QuantizedLayer layer, int block, int panel)
    {
        var target = (int*)Panel(block, panel);
        var start = BlockStart(block);
        var inputs = Math.Min(BlockLength(block), Inputs - start);
        for (var lane = 0; lane < OutputsOf(panel); lane++)
        {
            var codes = layer.Codes.Slice((((panel * _panelOutputs) + lane) * layer.InFeatures) + start, inputs);
            var pairs = MemoryMarshal.Cast<short, int>(codes);
            for (var pair = 0; pair < pairs.Length; pair++)
            {
                target[(pair * _panelOutputs) + lane] = pairs[pair];
            }

            if ((inputs & 1) != 0)
            {
                target[(pairs.Length * _panelOutputs) + lane] = (ushort)codes[^1];
            }
        }
    }

    // Backward: an input is a row of the codes; the outputs lie side by side, and two rows are interleaved.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillFromColumns(QuantizedLayer layer, int block, int panel)
    {
        var target = (int*)Panel(block, panel);
        var outputs = OutputsOf(panel);
        if (outputs == 0)
        {
            return;
        }

        var start = BlockStart(block);
        var inputs = Math.Min(BlockLength(block), Inputs - start);
        for (var i = 0; i < inputs; i += 2)
        {
            var even = layer.Codes.Slice(((start + i) * layer.InFeatures) + (panel * _panelOutputs), outputs);
            var odd = i + 1 < inputs ? layer.Codes.Slice(((start + i + 1) * layer.InFeatures) + (panel * _panelOutputs), outputs) : default;
            for (var lane = 0; lane < even.Length; lane++)
            {
                target[lane] = (ushort)even[lane] | (lane < odd.Length ? odd[lane] << 16 : 0);
            }

            target += _panelOutputs;
        }
    }
}
