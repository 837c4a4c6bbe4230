using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One frozen layer after compilation, or several that share their input: its products in the modes that use its integers.</summary>
/// <remarks>Not thread-safe, as modules are not. A model's layers use it through their <see cref="FrozenShare"/>s.</remarks>
internal sealed class FrozenLayer : IDisposable
{
    // 2²⁸ floats are 1 GiB: half of what a span of a tensor's bytes can hold.
    private const long MaxScalars = 1L << 28;

    // A token costs the client 39 bytes of secrets however narrow it is: 2²⁴ of them stay far below what one piece of memory can hold.
    private const long MaxTokens = 1L << 24;

    // What simulate draws at once for one-hot rows, 5 bytes each.
    private const long SimulatedScalars = 1L << 22;

    private readonly FheLayer _layer;
    private readonly HybridSession _session;
    private readonly TokenEncoder?[] _encoders = new TokenEncoder?[2];
    private Tensor? _codes;
    private Tensor? _scales;
    private Tensor? _squaredRowNorms;

    /// <summary>A layer.</summary>
    /// <param name="layer">Its integers and norms.</param>
    /// <param name="session">What it shares with the model's other layers.</param>
    /// <exception cref="ArgumentException">The weights leave no room for the inputs of a product that is needed; the text names the layer.</exception>
    public FrozenLayer(FheLayer layer, HybridSession session)
    {
        _layer = layer;
        _session = session;
        foreach (var direction in Enum.GetValues<LayerDirection>().Where(layer.Needs))
        {
            _ = Encoder(direction);
        }
    }

    /// <summary>The layer's integers.</summary>
    public QuantizedLayer Weights => _layer.Weights;

    /// <summary>The layers whose outputs these are.</summary>
    public IReadOnlyList<LayerPart> Parts => _layer.Parts;

    /// <summary>What is left of the model's last forward product.</summary>
    public SharedForward Shared => _session.Shared;

    /// <summary>Takes the gradients of a backward pass that its layers are to add up; null: each computes its own.</summary>
    public GradientCollection? Collecting { get; set; }

    /// <summary>Rows as the products take them: float32 [n, features], contiguous, on the CPU. Views where possible.</summary>
    public static Tensor Prepare(Tensor rows, int features, string name, LayerDirection direction)
    {
        if (rows.dim() == 0 || rows.size(-1) != features)
        {
            throw new ArgumentException(Errors.ProductInputShape(name, direction, rows.shape, features));
        }

        // The product would be rounded to the rows' type.
        if (!rows.is_floating_point())
        {
            throw new ArgumentException(Errors.ProductInputType(name, direction, rows.dtype.ToString()));
        }

        // Mostly there is nothing to convert: one view is all, and no scope's tables are made, which are larger than it.
        if (!is_grad_enabled() && IsProduct(rows) && rows.is_contiguous())
        {
            return rows.reshape(-1, features);
        }

        using var scope = NewDisposeScope();
        return rows.detach().to(ScalarType.Float32).cpu().reshape(-1, features).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Whether a tensor is of the type and on the device that products are.</summary>
    public static bool IsProduct(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>Computes a product; no bias is added.</summary>
    /// <param name="rows">As <see cref="Prepare"/> makes them, finite.</param>
    /// <param name="leading">The result's dimensions but the last: as many rows.</param>
    /// <param name="direction">Which product.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <returns>Float32 [..., outputs], contiguous, on the CPU, outside the graph; in the caller's scope.</returns>
    public Tensor Multiply(Tensor rows, ReadOnlySpan<long> leading, LayerDirection direction, HybridFheMode mode)
    {
        var tokens = rows.size(0);
        long[] shape = [.. leading, Weights.Outputs(direction)];
        if (tokens == 0)
        {
            return zeros(shape);
        }

        var most = Math.Clamp(MaxScalars / Math.Max(Weights.InFeatures, Weights.OutFeatures), 1, MaxTokens);
        if (tokens <= most)
        {
            return MultiplySlice(rows, shape, direction, mode);
        }

        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var first = 0L; first < tokens; first += most)
        {
            var slice = rows.narrow(0, first, Math.Min(most, tokens - first));
            parts.Add(MultiplySlice(slice, [slice.shape[0], shape[^1]], direction, mode));
        }

        return cat(parts, 0).reshape(shape).MoveToOuterDisposeScope();
    }

    /// <summary>Looks up rows of an embedding's table: a forward product of one-hot rows.</summary>
    /// <param name="ids">Int64, any shape, each from 0 to the layer's inputs − 1.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <param name="type">The table's type.</param>
    /// <returns>[..., outputs], of that type, on the ids' device, outside the graph.</returns>
    public Tensor Lookup(Tensor ids, HybridFheMode mode, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        var flat = ids.cpu().reshape(-1);
        var rows = mode == HybridFheMode.Disable ? Gather(flat) : MultiplyOneHot(flat, mode);
        return rows.reshape([.. ids.shape, Weights.OutFeatures]).to(type).to(ids.device).MoveToOuterDisposeScope();
    }

    /// <summary>The square of each output's norm, ‖W_o‖², of the weights that the products are made with: float64 [out], owned by this.</summary>
    public Tensor SquaredRowNorms => _squaredRowNorms ??= tensor(Squares(), dtype: ScalarType.Float64).DetachFromDisposeScope();

    /// <summary>Computes a forward product of rows that are no activations, such as an adapter's A, each at a length of its own: no bias is added.</summary>
    /// <param name="rows">As <see cref="Prepare"/> makes them, finite.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <returns>Float32 [n, out], on the CPU, outside the graph; in the caller's scope.</returns>
    /// <remarks>Where calibration has set one scale for all rows, each is sent at the length that it was set for, and the product scaled back.</remarks>
    public Tensor Project(Tensor rows, HybridFheMode mode)
    {
        long[] leading = [rows.shape[0]];
        if (_layer.Norm(LayerDirection.Forward) is not { } norm)
        {
            return Multiply(rows, leading, LayerDirection.Forward, mode);
        }

        // A little less than what counts as too long.
        var lengths = linalg.vector_norm(rows.to(ScalarType.Float64), dims: [1], keepdim: true);
        var factors = where(lengths.gt(0), lengths.reciprocal().mul(norm * (1 - 1e-6)), ones_like(lengths)).to(ScalarType.Float32);
        return Multiply(rows * factors, leading, LayerDirection.Forward, mode).div(factors);
    }

    /// <summary>Frees the float copies of the integers.</summary>
    public void Dispose()
    {
        _codes?.Dispose();
        _scales?.Dispose();
        _squaredRowNorms?.Dispose();
    }

    private Tensor MultiplySlice(Tensor rows, long[] shape, LayerDirection direction, HybridFheMode mode)
    {
        var values = TensorData.Read(rows);
        WarnOfLongRows(values, direction);
        var tokens = (int)rows.size(0);
        var product = mode == HybridFheMode.Execute ? Execute(values, tokens, shape, direction) : Clear(values, tokens, shape, direction, mode);
        GC.KeepAlive(rows);
        return product;
    }

    private void WarnOfLongRows(ReadOnlySpan<float> values, LayerDirection direction)
    {
        if (_layer.Norm(direction) is { } norm)
        {
            var scales = direction == LayerDirection.Backward ? Weights.Scales : [];
            var (_, above) = RowNorms.Measure(values, scales, Weights.Inputs(direction), norm);
            if (above > 0)
            {
                Log.RowsScaledDown(_session.Logger, Weights.Name, direction, above);
            }
        }
    }

    private Tensor Execute(ReadOnlySpan<float> values, int tokens, long[] shape, LayerDirection direction)
    {
        var product = empty(shape);
        var results = TensorData.Write(product);

        // Where a backend writes nothing, that is seen, and no stale memory taken for a product.
        results.Fill(float.NaN);
        _session.Backend.Multiply(new LayerId(Weights.Name, direction), values, tokens, results);
        return RowNorms.AllFinite(results)
            ? product
            : throw new InvalidDataException(Errors.ProductNotFinite(_session.Backend.Name, Weights.Name, direction));
    }

    // Exactly what execute computes, without the encryption: the same encoding, the same integers, the same scales after them.
    private Tensor Clear(ReadOnlySpan<float> values, int tokens, long[] shape, LayerDirection direction, HybridFheMode mode)
    {
        using var encoded = empty([.. shape[..^1], Weights.Inputs(direction)]);
        var encoder = Encoder(direction);
        if (mode == HybridFheMode.Simulate)
        {
            encoder.QuantizeWithErrors(values, tokens, _session.Errors.Next(values.Length), TensorData.Write(encoded));
        }
        else
        {
            encoder.Quantize(values, tokens, TensorData.Write(encoded));
        }

        if (direction == LayerDirection.Backward)
        {
            return matmul(encoded, Codes);
        }

        using var transposed = Codes.t();
        return matmul(encoded, transposed).mul_(Scales);
    }

    // The sum over a one-hot row has one term: a column of the codes times the encoded 1, the same numbers as the whole product.
    private Tensor Gather(Tensor ids)
    {
        var encoded = empty(1, Weights.InFeatures);
        Encoder(LayerDirection.Forward).Quantize(TensorData.Read(FrozenEmbedding.OneHot(zeros(1, ScalarType.Int64), Weights.InFeatures)), 1, TensorData.Write(encoded));
        return Codes.index_select(1, ids).t().mul(encoded[0, 0]).mul_(Scales);
    }

    // Rows are made slice by slice: a token has as many numbers as the table has rows.
    private Tensor MultiplyOneHot(Tensor ids, HybridFheMode mode)
    {
        var most = Math.Clamp((mode == HybridFheMode.Execute ? MaxScalars : SimulatedScalars) / Weights.InFeatures, 1, EncryptedLinearParameters.MaxRingDegree);
        var parts = new List<Tensor> { zeros(0, Weights.OutFeatures) };
        for (var first = 0L; first < ids.shape[0]; first += most)
        {
            using var scope = NewDisposeScope();
            var slice = FrozenEmbedding.OneHot(ids.narrow(0, first, Math.Min(most, ids.shape[0] - first)), Weights.InFeatures);
            parts.Add(MultiplySlice(slice, [slice.shape[0], Weights.OutFeatures], LayerDirection.Forward, mode).MoveToOuterDisposeScope());
        }

        return cat(parts, 0);
    }

    // From the integers themselves: execute has no use for a float copy of them.
    private double[] Squares()
    {
        var squares = new double[Weights.OutFeatures];
        for (var o = 0; o < squares.Length; o++)
        {
            // At most 12 bits: 2²² times as many inputs as fit an array stays below 2⁵³.
            var sum = 0L;
            foreach (var code in Weights.Codes.Slice(o * Weights.InFeatures, Weights.InFeatures))
            {
                sum += code * code;
            }

            squares[o] = sum * (double)Weights.Scales[o] * Weights.Scales[o];
        }

        return squares;
    }

    private Tensor Codes => _codes ??= CodesAsFloats();

    private Tensor Scales => _scales ??= tensor(Weights.Scales.ToArray()).DetachFromDisposeScope();

    private TokenEncoder Encoder(LayerDirection direction) =>
        _encoders[(int)direction] ??= TokenEncoder.Create(Weights, direction, _layer.Norm(direction));

    private Tensor CodesAsFloats()
    {
        var codes = empty(Weights.OutFeatures, Weights.InFeatures).DetachFromDisposeScope();
        var values = TensorData.Write(codes);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Weights.Codes[i];
        }

        return codes;
    }
}
