using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What one layer of the model computes of a <see cref="FrozenLayer"/>: all of it, or its part where layers share their input.</summary>
/// <remarks>Whoever comes first with an input has the product made for all; the others take their parts of it if they come with the same input, and their
/// gradients go back through it as one. Otherwise a layer has the product made for itself. Not thread-safe.</remarks>
/// <param name="layer">The products.</param>
/// <param name="part">Which outputs are the layer's.</param>
/// <param name="bias">Gives its bias as it is now, [out], which is added in clear; or null. Not owned.</param>
internal sealed class FrozenShare(FrozenLayer layer, LayerPart part, Func<Tensor?> bias)
{
    private bool IsAlone => layer.Parts.Count == 1;

    /// <summary>The products; not owned.</summary>
    public FrozenLayer Layer => layer;

    /// <summary>The square of each output's norm, ‖W_o‖², of the weights that the products are made with: float64 [out], in the caller's scope.</summary>
    public Tensor SquaredRowNorms => layer.SquaredRowNorms.narrow(0, part.First, part.Count);

    /// <summary>All of a layer that shares no input.</summary>
    public static FrozenShare Whole(FrozenLayer layer, Func<Tensor?> bias) => new(layer, layer.Parts[0], bias);

    /// <summary>Computes the forward product and adds the bias.</summary>
    /// <param name="input">[..., in], floating point.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <returns>[..., out], of the input's type, on its device, outside the graph.</returns>
    /// <exception cref="NotFiniteNumberException">The input is not finite.</exception>
    public Tensor Forward(Tensor input, HybridFheMode mode)
    {
        // Every layer of every step comes here: tensors are disposed one by one, since a scope's tables are more than all of them.
        using var noGraph = no_grad();
        using var rows = FrozenLayer.Prepare(input, layer.Weights.InFeatures, part.Name, LayerDirection.Forward);
        if (IsAlone)
        {
            return Finish(Multiply(rows, input, mode), input);
        }

        var call = layer.Shared.Find(layer, part, input, rows, mode)
            ?? layer.Shared.Keep(new SharedCall(layer, input, rows, mode, Multiply(rows, input, mode)));

        // A part is copied out of the product, since nobody may see what others write into theirs: by arithmetic, which libtorch spreads over
        // its threads where a copy of some columns stays on one.
        using var own = call.Take(part);
        return call.Note(Finish(own.mul(1), input), input);
    }

    /// <summary>Computes the backward product, or notes the gradient where those of several layers are being collected.</summary>
    /// <param name="gradient">[..., out], floating point.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <returns>[..., in], of the gradient's type, on its device, outside the graph; zeros for a gradient that was noted.</returns>
    /// <exception cref="NotFiniteNumberException">The gradient is not finite.</exception>
    public Tensor Backward(Tensor gradient, HybridFheMode mode)
    {
        // As in Forward, no scope where every layer of every step comes.
        using var noGraph = no_grad();
        var rows = FrozenLayer.Prepare(gradient, part.Count, part.Name, LayerDirection.Backward);
        if (layer.Collecting is { } collection)
        {
            return collection.Add(part, Finite(rows, LayerDirection.Backward, mode), gradient, mode);
        }

        using (rows)
        {
            return Like(gradient, BackwardAlone(Finite(rows, LayerDirection.Backward, mode), gradient.shape.AsSpan()[..^1], mode));
        }
    }

    /// <summary>Looks up rows of an embedding's table: see <see cref="FrozenLayer.Lookup"/>.</summary>
    public Tensor Lookup(Tensor ids, HybridFheMode mode, ScalarType type) => layer.Lookup(ids, mode, type);

    /// <summary>Computes a forward product of rows that are no activations: see <see cref="FrozenLayer.Project"/>.</summary>
    /// <param name="rows">[n, in], floating point.</param>
    /// <param name="mode">Disable, simulate or execute.</param>
    /// <returns>Float32 [n, out], on the CPU, outside the graph.</returns>
    public Tensor Project(Tensor rows, HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        var prepared = Finite(FrozenLayer.Prepare(rows, layer.Weights.InFeatures, part.Name, LayerDirection.Forward), LayerDirection.Forward, mode);
        return layer.Project(prepared, mode).narrow(1, part.First, part.Count).MoveToOuterDisposeScope();
    }

    /// <summary>Makes an output differentiable in its input, if anybody wants that gradient: see <see cref="LinearFunction.Attach"/>.</summary>
    /// <param name="input">The input.</param>
    /// <param name="output">What <see cref="Forward"/> made of it; the result takes its place.</param>
    /// <param name="backward">From the output's gradient to the input's, by way of <see cref="Backward"/>.</param>
    /// <param name="fault">Keeps an exception of the backward product.</param>
    public Tensor Attach(Tensor input, Tensor output, Func<Tensor, Tensor> backward, BackwardFault fault)
    {
        using var place = IsAlone ? null : SharedCall.Of(output)?.Place(part, input, backward, fault);
        return place is null
            ? LinearFunction.Attach(input, output, backward, fault)
            : LinearFunction.Attach(place, output, gradient => gradient.alias(), fault);
    }

    private Tensor Multiply(Tensor rows, Tensor input, HybridFheMode mode) =>
        layer.Multiply(Finite(rows, LayerDirection.Forward, mode), input.shape.AsSpan()[..^1], LayerDirection.Forward, mode);

    // Takes the product over.
    private Tensor Finish(Tensor product, Tensor input)
    {
        if (bias() is { } added)
        {
            using var scope = NewDisposeScope();
            product.add_(added.detach().to(ScalarType.Float32).cpu());
        }

        return Like(input, product);
    }

    private Tensor BackwardAlone(Tensor rows, ReadOnlySpan<long> leading, HybridFheMode mode)
    {
        if (IsAlone)
        {
            return layer.Multiply(rows, leading, LayerDirection.Backward, mode);
        }

        using var scope = NewDisposeScope();
        var all = new Tensor?[layer.Parts.Count];
        all[part.Index] = rows;
        return GradientCollection.Multiply(layer, all, leading, mode).MoveToOuterDisposeScope();
    }

    // Takes the product over: it in another tensor's type, on its device.
    private static Tensor Like(Tensor other, Tensor product)
    {
        if (FrozenLayer.IsProduct(other))
        {
            return product;
        }

        using (product)
        {
            return product.to(other.dtype, other.device);
        }
    }

    private Tensor Finite(Tensor rows, LayerDirection direction, HybridFheMode mode)
    {
        var isFinite = RowNorms.AllFinite(TensorData.Read(rows));
        GC.KeepAlive(rows);
        return isFinite ? rows : throw new NotFiniteNumberException(Errors.NotFinite(part.Name, direction, couldBeSent: mode == HybridFheMode.Execute));
    }
}
