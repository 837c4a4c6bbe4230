using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>The server half of one layer and direction: C = W·B modulo q on encrypted rows. It holds no key, because there is none on this
/// side.</summary>
/// <remarks>
/// Weights are put in the kernel's order once, at construction; the layer may be dropped afterwards. <see cref="Evaluate"/> may run on
/// several threads at once;
/// disposing meanwhile is safe for memory, and later calls throw. Source: docs/scheme.md, Evaluation kernel.
/// </remarks>
public sealed unsafe class LinearEvaluator : IDisposable
{
    private readonly LayerId _id;
    private readonly IntegerGemm _kernel;
    private readonly PackedWeights _weights;
    private readonly StrassenWeights? _strassen;
    private readonly int _maxThreads;

    /// <summary>Prepares one product.</summary>
    /// <param name="layer">The frozen layer's integers.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="binding">What requests must carry; see <see cref="Cryptography.Binding.Compute"/>.</param>
    /// <param name="maxThreads">The most threads for one call, 0 for all processors. With 1 everything runs on the caller's thread.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxThreads"/> is negative.</exception>
    public LinearEvaluator(QuantizedLayer layer, LayerDirection direction, Binding binding, int maxThreads = 0)
        : this(layer, direction, binding, GemmKernels.Choice.Kernel, maxThreads)
    {
    }

    /// <summary>Prepares one product for a given kernel.</summary>
    internal LinearEvaluator(QuantizedLayer layer, LayerDirection direction, Binding binding, IntegerGemm kernel, int maxThreads)
    {
        ArgumentNullException.ThrowIfNull(layer);
        _maxThreads = ThreadCount.Resolve(maxThreads, nameof(maxThreads));
        _id = new LayerId(layer.Name, direction);
        _kernel = kernel;
        Binding = binding;
        Inputs = layer.Inputs(direction);
        Outputs = layer.Outputs(direction);
        _weights = kernel.Pack(layer, direction, _maxThreads);
        _strassen = StrassenWeights.Suit(kernel, layer, direction) ? StrassenWeights.Pack(kernel, layer, direction, _maxThreads) : null;
    }

    /// <summary>The kernel that this process's evaluators use: "Avx512", "AvxVnni", "Avx2", "AdvSimd",
    /// "Portable256", "Portable128", "Portable512".</summary>
    public static string KernelName => GemmKernels.Choice.Kernel.Name;

    /// <summary>What requests must carry and responses repeat.</summary>
    public Binding Binding { get; }

    /// <summary>Features of a request's token.</summary>
    public int Inputs { get; }

    /// <summary>Features of a response's token.</summary>
    public int Outputs { get; }

    /// <summary>Bytes of a response of so many outputs and tokens: 64 + 4·outputs·tokens; the largest 64-bit number where that passes
    /// it.</summary>
    public static long ResponseLength(int outputs, int tokens) => MessageHeader.LengthOf(outputs, tokens);

    /// <summary>Bytes that the response to a request will have. Reads its header only.</summary>
    /// <param name="request">The whole request.</param>
    /// <exception cref="InvalidDataException">The bytes are no request for this product, or its response would not fit 2 GiB.</exception>
    public int ResponseLength(ReadOnlySpan<byte> request)
    {
        var header = MessageHeader.Parse(request, MessageKind.Request);
        header.Require(Binding, Inputs);
        var length = ResponseLength(Outputs, header.Tokens);
        return length <= Array.MaxLength
            ? (int)length
            : throw Errors.MessageSize(MessageHeader.NameOf(MessageKind.Response), Outputs, header.Tokens);
    }

    /// <summary>Answers one request.</summary>
    /// <param name="request">The whole request; read in place. Any token count from 1.</param>
    /// <param name="response">Exactly <see cref="ResponseLength(ReadOnlySpan{byte})"/> bytes, apart from the request; written only if the
    /// request is valid.</param>
    /// <exception cref="InvalidDataException">The request is truncated, of another version or product, or has a word outside ±(q−1)/2; the
    /// text says what was expected.</exception>
    /// <exception cref="ArgumentException"><paramref name="response"/> has another length or overlaps the request.</exception>
    /// <exception cref="ObjectDisposedException">The evaluator was disposed.</exception>
    public void Evaluate(ReadOnlySpan<byte> request, Span<byte> response)
    {
        ObjectDisposedException.ThrowIf(_weights.Memory.IsClosed, this);
        var length = ResponseLength(request);
        var parsed = EncryptedRequest.Parse(request, Binding, Inputs);
        if (response.Length != length)
        {
            throw Errors.ResponseLength(_id, response.Length, length, nameof(response));
        }

        if (request.Overlaps(response))
        {
            throw Errors.ResponseOverlaps(_id, nameof(response));
        }

        EvaluateCore(parsed, response);
    }

    /// <summary>Frees the weights, once no call uses them.</summary>
    public void Dispose()
    {
        _weights.Dispose();
        _strassen?.Dispose();
    }

    private void EvaluateCore(EncryptedRequest request, Span<byte> response)
    {
        var tokens = request.Header.Tokens;
        new MessageHeader(MessageKind.Response, Binding, request.Header.Id, Outputs, tokens).Write(response);
        fixed (int* source = request.Words)
        fixed (int* target = MemoryMarshal.Cast<byte, int>(response[MessageHeader.Size..]))
        {
            var (from, to) = (WordMatrix.OnTheWire(source, Inputs, tokens), WordMatrix.OnTheWire(target, Outputs, tokens));
            if (_strassen is not null && StrassenProduct.Suits(tokens, _maxThreads))
            {
                StrassenProduct.Multiply(_kernel, _strassen, from, to, _maxThreads);
            }
            else
            {
                _kernel.Multiply(_weights, from, to, _maxThreads, CancellationToken.None);
            }
        }
    }
}
