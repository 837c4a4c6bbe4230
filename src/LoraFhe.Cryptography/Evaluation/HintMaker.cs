namespace LoraFhe.Cryptography;

/// <summary>H = W·A modulo q: what the data owner keeps of one layer and direction.</summary>
public static class HintMaker
{
    /// <summary>Words of a hint: 16·⌈outputs/16⌉·1536.</summary>
    public static long HintWords(int outputs) => FeatureBlocks.PaddedWords(outputs, EncryptedLinearParameters.SecretDimension);

    /// <summary>Makes one.</summary>
    public static void Make(QuantizedLayer layer, LayerDirection direction, PublicMatrix a, Span<uint> hint, int maxThreads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        var inputs = layer.Inputs(direction);
        var outputs = layer.Outputs(direction);
        if (a.Rows < inputs)
        {
            throw Errors.PublicMatrixRows(new LayerId(layer.Name, direction), a.Rows, inputs, nameof(a));
        }

        if (hint.Length != HintWords(outputs))
        {
            throw Errors.DestinationSize(hint.Length, HintWords(outputs), nameof(hint));
        }

        hint.Clear();
        const int columns = EncryptedLinearParameters.SecretDimension;
        var row = new int[inputs];
        for (var t = 0; t < columns; t++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var i = 0; i < inputs; i++)
            {
                row[i] = Modular.Center(a.Block(i / 16)[(t * 16) + (i % 16)]);
            }

            for (var o = 0; o < outputs; o++)
            {
                hint[(int)FeatureBlocks.PaddedIndex(o, t, columns)] = Modular.FromCentered(LinearProduct.Reference(layer, direction, o, row));
            }
        }
    }
}
