using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>The server half of one layer and direction.</summary>
public sealed class LinearEvaluator : IDisposable
{
    private readonly QuantizedLayer _layer;
    private readonly LayerDirection _direction;

    /// <summary>Takes a layer.</summary>
    public LinearEvaluator(QuantizedLayer layer, LayerDirection direction, Binding binding, int maxThreads = 0)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        _layer = layer;
        _direction = direction;
        Binding = binding;
    }

    /// <summary>The product.</summary>
    public Binding Binding { get; }

    /// <summary>Inputs.</summary>
    public int Inputs => _layer.Inputs(_direction);

    /// <summary>Outputs.</summary>
    public int Outputs => _layer.Outputs(_direction);

    /// <summary>Kernel.</summary>
    public static string KernelName => "Reference";

    /// <summary>Bytes of a response.</summary>
    public static long ResponseLength(int outputs, int tokens) => MessageHeader.LengthOf(outputs, tokens);

    /// <summary>Computes.</summary>
    public void Evaluate(ReadOnlySpan<byte> request, Span<byte> response)
    {
        var parsed = EncryptedRequest.Parse(request, Binding, Inputs);
        var header = new MessageHeader(MessageKind.Response, Binding, parsed.Header.Id, Outputs, parsed.Header.Tokens);
        if (response.Length != header.MessageLength)
        {
            throw Errors.ResponseLength(new LayerId(_layer.Name, _direction), response.Length, header.MessageLength, nameof(response));
        }

        header.Write(response);
        var words = MemoryMarshal.Cast<byte, int>(response[MessageHeader.Size..]);
        var row = new int[Inputs];
        for (var t = 0; t < header.Tokens; t++)
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = parsed.Words[(int)FeatureBlocks.WireIndex(i, t, Inputs, header.Tokens)];
            }

            for (var o = 0; o < Outputs; o++)
            {
                words[(int)FeatureBlocks.WireIndex(o, t, Outputs, header.Tokens)] = LinearProduct.Reference(_layer, _direction, o, row);
            }
        }
    }

    /// <summary>Frees.</summary>
    public void Dispose()
    {
    }
}
