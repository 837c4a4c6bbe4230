using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Puts the input of several layers into the graph once for all of them, so that their gradients come back together: the input's is one product.</summary>
/// <remarks>Each layer gets a place of its own, whose gradient is that of the layer's output as it is. libtorch calls this when all have come that will.</remarks>
internal sealed class SharedGradient : autograd.MultiTensorFunction<SharedGradient>
{
    private const string CallKey = "call";

    /// <inheritdoc/>
    public override string Name => nameof(SharedGradient);

    /// <summary>Makes the layers' places.</summary>
    /// <param name="input">Their input, which requires a gradient.</param>
    /// <param name="call">What computes it.</param>
    /// <returns>A place for each layer, [..., out], in no dispose scope. They keep the graph of the input: whoever has them disposes of them.</returns>
    public static Tensor[] Attach(Tensor input, Call call)
    {
        var places = apply(input, call);

        // The native side was given bare handles: until here neither tensor may be collected.
        GC.KeepAlive(input);
        call.Made.ForEach(place => place.Dispose());
        call.Made.Clear();
        places.ForEach(place => place.DetachFromDisposeScope());
        return [.. places];
    }

    /// <inheritdoc/>
    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, call) = ((Tensor)vars[0], (Call)vars[1]);
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        using var one = empty([1], dtype: input.dtype, device: input.device);
        var shape = input.shape;
        for (var i = 0; i < call.Layer.Parts.Count; i++)
        {
            shape[^1] = call.Layer.Parts[i].Count;
            call.Made.Add(one.expand(shape));
        }

        return call.Made;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs) =>
        [Gradient((Call)ctx.get_data(CallKey), grad_outputs)!, null!];

    private static Tensor? Gradient(Call call, List<Tensor> gradients)
    {
        // As for a layer alone: nothing is computed where no gradient comes, or after a layer failed.
        if (gradients.TrueForAll(gradient => gradient.IsInvalid) || call.Fault.IsPending)
        {
            return null;
        }

        try
        {
            using var noGraph = no_grad();
            using var scope = NewDisposeScope();

            return call.Fault.Result.Keep(Sum(call, gradients).MoveToOuterDisposeScope());
        }
        catch (Exception exception)
        {
            call.Fault.Capture(exception);
            return null;
        }
    }

    // Layers are called in the order that they would have alone, the last first. What one of them computes itself, in clear, is added.
    private static Tensor Sum(Call call, List<Tensor> gradients)
    {
        var collection = new GradientCollection(call.Layer);
        Tensor? sum = null;
        call.Layer.Collecting = collection;
        try
        {
            for (var i = gradients.Count - 1; i >= 0; i--)
            {
                if (!gradients[i].IsInvalid && call.Backward[i]!(gradients[i]) is var own && !collection.IsNothing(own))
                {
                    sum = sum is null ? own : sum + own;
                }
            }
        }
        finally
        {
            call.Layer.Collecting = null;
        }

        var product = collection.Multiply();
        return sum is null ? product! : product is null ? sum : sum + product;
    }

    /// <summary>One call's state; the function object itself is a singleton. It must not hold the places: the graph keeps it.</summary>
    /// <param name="layer">The layers' products.</param>
    /// <param name="input">Their input.</param>
    /// <param name="fault">Keeps an exception of the product.</param>
    internal sealed class Call(FrozenLayer layer, Tensor input, BackwardFault fault)
    {
        public FrozenLayer Layer { get; } = layer;

        public BackwardFault Fault { get; } = fault;

        /// <summary>Whether the input was a leaf of the graph.</summary>
        public bool IsLeaf { get; } = input.is_leaf;

        /// <summary>How each layer computes its backward product; null for one that is not in the graph.</summary>
        public Func<Tensor, Tensor>?[] Backward { get; } = new Func<Tensor, Tensor>?[layer.Parts.Count];

        /// <summary>What was made for the graph to wrap.</summary>
        public List<Tensor> Made { get; } = [];
    }
}
