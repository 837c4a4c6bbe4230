using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Calls a user's model with a <see cref="Batch"/>: each parameter of its <c>forward</c> gets the batch's tensor of that name.</summary>
/// <remarks>
/// Names match in snake or camel case. The first parameter gets the batch's first input where no name fits, so a module of one parameter
/// takes any batch. Labels are passed only where a parameter is called <c>labels</c>. A nullable parameter, or one with a default, may
/// have no tensor; a tensor other than the labels that no parameter takes is an error, as an unknown keyword is in Python. A <c>forward</c>
/// that takes a <see cref="Batch"/> gets the whole of it. The call goes through the module's <c>call</c>, so that hooks run.
/// </remarks>
public sealed class ModelInvoker
{
    private const string FunctionName = "forwardFn";

    private readonly Func<Batch, ModelOutput> _invoke;

    /// <summary>Makes an invoker of a module.</summary>
    /// <param name="model">The user's model, or the <c>LoraModel</c> around it.</param>
    /// <exception cref="ArgumentException">The model has no <c>forward</c>, or a parameter of it can hold no tensor and has no default.</exception>
    public ModelInvoker(nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var signature = ForwardSignature.Of(Unwrap(model));
        TakesLabels = signature.TakesLabels;
        NeedsLabels = signature.NeedsLabels;
        _invoke = batch => Alive(signature.ModelName, ReadOutput(signature.ModelName, signature.Call(batch)));
    }

    /// <summary>Makes an invoker of a function.</summary>
    /// <param name="invoke">Computes loss or logits of a batch, which it must not dispose of.</param>
    public ModelInvoker(Func<Batch, ModelOutput> invoke)
    {
        ArgumentNullException.ThrowIfNull(invoke);
        TakesLabels = NeedsLabels = true;
        _invoke = batch => Alive(FunctionName, invoke(batch) ?? throw new InvalidOperationException(Errors.ForwardResult(FunctionName, type: null)));
    }

    /// <summary>Whether the model can compute a loss itself: <c>forward</c> has a parameter <c>labels</c>, or a function was given.</summary>
    public bool TakesLabels { get; }

    /// <summary>Whether <c>forward</c> cannot be called without labels; a function is always given them.</summary>
    internal bool NeedsLabels { get; }

    /// <summary>Calls the model.</summary>
    /// <param name="batch">Stays the caller's.</param>
    /// <returns>The model's output; its tensors are the caller's.</returns>
    /// <exception cref="ArgumentException">A required parameter has no tensor, or a tensor has no parameter.</exception>
    /// <exception cref="InvalidOperationException">The model returned something that is neither loss nor logits.</exception>
    public ModelOutput Invoke(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return _invoke(batch);
    }

    // The adapters' wrapper has no forward of its own: what is called is the user's module inside.
    private static nn.Module Unwrap(nn.Module model) => model is LoraModel adapted ? adapted.Model : model;

    private static ModelOutput Alive(string model, ModelOutput output) => output is { Loss.IsInvalid: true } or { Logits.IsInvalid: true }
        ? throw new InvalidOperationException(Errors.ForwardResultDisposed(model))
        : output;

    private static ModelOutput ReadOutput(string model, object? result) => result switch
    {
        ModelOutput output => output,
        Tensor tensor => new ModelOutput { Logits = tensor },
        ITuple tuple => ReadTuple(model, tuple),
        IReadOnlyDictionary<string, Tensor> named => new ModelOutput { Loss = named.GetValueOrDefault("loss"), Logits = named.GetValueOrDefault("logits") },
        _ => throw new InvalidOperationException(Errors.ForwardResult(model, result?.GetType().Name)),
    };

    // (loss, logits) as Hugging Face returns them, or (logits, loss): the scalar is the loss.
    private static ModelOutput ReadTuple(string model, ITuple tuple)
    {
        var tensors = Enumerable.Range(0, tuple.Length).Select(i => tuple[i]).OfType<Tensor>().ToList();
        return tensors.Count == 0
            ? throw new InvalidOperationException(Errors.ForwardResult(model, tuple.GetType().Name))
            : new ModelOutput { Loss = tensors.Find(t => t.dim() == 0), Logits = tensors.Find(t => t.dim() > 0) };
    }
}
