namespace LoraFhe.Cryptography;

/// <summary>One product's weights in the order in which a kernel reads them: [block][panel][pair of inputs][output of the panel][2], int16.</summary>
/// <remarks>Immutable once made. Both the last panel's missing outputs and the last block's missing inputs are zeros, which change no sum.</remarks>
internal sealed unsafe class PackedWeights : IDisposable
{
    private readonly int[] _starts;
    private readonly int _panelOutputs;
    private readonly long _paddedOutputs;

    /// <summary>Packs a layer.</summary>
    /// <param name="layer">The weights.</param>
    /// <param name="direction">Which product.</param>
    /// <param name="panelOutputs">Outputs of a panel: what the kernel computes at once.</param>
    /// <param name="starts">The blocks' first inputs, then the padded number of inputs.</param>
    public PackedWeights(QuantizedLayer layer, LayerDirection direction, int panelOutputs, int[] starts)
    {
        _starts = starts;
        _panelOutputs = panelOutputs;
        Inputs = layer.Inputs(direction);
        Outputs = layer.Outputs(direction);

        // Panels cover whole blocks of 16 outputs, so that a padded target's padding is written too.
        Panels = (int)((((long)FeatureBlocks.Count(Outputs) * FeatureBlocks.Width) + panelOutputs - 1) / panelOutputs);
        _paddedOutputs = (long)Panels * panelOutputs;
        Memory = NativeBuffer.AllocateZeroed(_paddedOutputs * starts[^1] * sizeof(short));
        Fill(layer, direction);
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

    private void Fill(QuantizedLayer layer, LayerDirection direction)
    {
        for (var block = 0; block < Blocks; block++)
        {
            for (var panel = 0; panel < Panels; panel++)
            {
                if (direction == LayerDirection.Forward)
                {
                    FillFromRows(layer, block, panel);
                }
                else
                {
                    FillFromColumns(layer, block, panel);
                }
            }
        }
    }

    // Forward: an output is a row of the codes; its inputs lie side by side.
    private void FillFromRows(QuantizedLayer layer, int block, int panel)
    {
        var target = Panel(block, panel);
        var outputs = OutputsOf(panel);
        var start = BlockStart(block);
        var inputs = Math.Min(BlockLength(block), Inputs - start);
        for (var lane = 0; lane < outputs; lane++)
        {
            var codes = layer.Codes.Slice((((panel * _panelOutputs) + lane) * layer.InFeatures) + start, inputs);
            for (var i = 0; i < codes.Length; i++)
            {
                target[((i >> 1) * _panelOutputs * 2) + (lane * 2) + (i & 1)] = codes[i];
            }
        }
    }

    // Backward: an input is a row of the codes; the outputs lie side by side.
    private void FillFromColumns(QuantizedLayer layer, int block, int panel)
    {
        var target = Panel(block, panel);
        var outputs = OutputsOf(panel);
        var start = BlockStart(block);
        var inputs = Math.Min(BlockLength(block), Inputs - start);
        for (var i = 0; i < inputs; i++)
        {
            var codes = layer.Codes.Slice((start + i) * layer.InFeatures, layer.InFeatures).Slice(Math.Min(panel * _panelOutputs, Outputs), outputs);
            var line = target + ((i >> 1) * _panelOutputs * 2) + (i & 1);
            for (var lane = 0; lane < codes.Length; lane++)
            {
                line[lane * 2] = codes[lane];
            }
        }
    }
}
