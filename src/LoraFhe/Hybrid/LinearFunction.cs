using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Puts a linear product that was computed without a graph into the graph: the gradient of its input is another product.</summary>
internal sealed class LinearFunction : autograd.SingleTensorFunction<LinearFunction>
{
    private const string CallKey = "call";

    /// <inheritdoc/>
    public override string Name => nameof(LinearFunction);

    /// <summary>Makes an output differentiable in its input, if anybody wants that gradient.</summary>
    /// <param name="input">The input, any leading dimensions.</param>
    /// <param name="output">The output, computed from it without a graph; the result takes its place.</param>
    /// <param name="backward">From the output's gradient to the input's; called at most once a backward pass, and never if the input
    /// requires no gradient.</param>
    /// <param name="fault">Keeps an exception of <paramref name="backward"/>.</param>
    public static Tensor Attach(Tensor input, Tensor output, Func<Tensor, Tensor> backward, BackwardFault fault)
    {
        if (!input.requires_grad || !is_grad_enabled())
        {
            return output;
        }

        var call = new Call(output, backward, fault);
        var attached = apply(input, call);

        // The native side was given bare handles: until here neither tensor may be collected.
        GC.KeepAlive(input);
        call.Output = null;
        output.Dispose();
        return attached;
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[1];
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        return call.Output!;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var call = (Call)ctx.get_data(CallKey);
        return [Gradient(call, grad_output)!, null!];
    }

    private static Tensor? Gradient(Call call, Tensor gradient)
    {
        // No gradient reaches this output, or a layer after it failed: nothing is computed, and nothing is sent.
        if (gradient.IsInvalid || call.Fault.IsPending)
        {
            return null;
        }

        try
        {
            using var noGraph = no_grad();
            return call.Fault.Result.Keep(call.Backward(gradient));
        }
        catch (Exception exception)
        {
            call.Fault.Capture(exception);
            return null;
        }
    }

    /// <summary>One call's state; the function object itself is a singleton.</summary>
    private sealed class Call(Tensor output, Func<Tensor, Tensor> backward, BackwardFault fault)
    {
        public Tensor? Output { get; set; } = output;

        public Func<Tensor, Tensor> Backward { get; } = backward;

        public BackwardFault Fault { get; } = fault;
    }
}
