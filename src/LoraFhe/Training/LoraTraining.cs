using System.Runtime.InteropServices;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// A model with LoRA adapters as one module whose <c>forward</c> takes a training batch, and computes the loss and its gradients: forward
/// and backward are one call, so that both can run over encrypted layers.
/// </summary>
/// <remarks>
/// The model is changed in place: its linear layers outside the adapters, except the first few, become <see cref="CustomLinear"/>. It is the
/// child <c>inference_model</c>. Disposing this disposes of the model. Not thread-safe.
/// </remarks>
public sealed class LoraTraining : nn.Module<Batch, (Tensor Loss, Tensor? Unused)>
{
    [ComponentName(Name = "inference_model")]
    private readonly nn.Module _inferenceModel;

    private readonly ModelInvoker _invoker;
    private readonly Func<Tensor, Tensor, Tensor>? _lossFn;
    private bool _isProbed;

    /// <summary>Prepares a model for training.</summary>
    /// <param name="model">A <c>LoraModel</c>, or a module with LoRA layers of its own. It is changed and owned from now on.</param>
    /// <param name="nLayersToSkipForBackprop">How many linear layers, the first in registration order, are left as they are. No gradient is
    /// expected to flow through them; if one must, it does.</param>
    /// <param name="lossFn">Loss of (logits, labels), a scalar; null: the model returns its loss itself.</param>
    /// <param name="forwardFn">Calls the model with a batch, where matching <c>forward</c>'s parameters by name does not serve; null: by name.</param>
    /// <exception cref="ArgumentException">There is no <paramref name="lossFn"/> and <c>forward</c> takes no <c>labels</c>, or no LoRA layer is found.</exception>
    /// <exception cref="InvalidOperationException">The model is another trainer's already, or its adapters are merged or disabled.</exception>
    /// <exception cref="NotSupportedException">A layer cannot be replaced; the message names it and the cure.</exception>
    public LoraTraining(
        nn.Module model,
        int nLayersToSkipForBackprop = 1,
        Func<Tensor, Tensor, Tensor>? lossFn = null,
        Func<Batch, ModelOutput>? forwardFn = null)
        : base(nameof(LoraTraining))
    {
        _invoker = Check(model, lossFn, forwardFn);
        _inferenceModel = model;
        _lossFn = lossFn;
        ReplaceLayersWithCustom(model, nLayersToSkipForBackprop);
        BiasGradient.Allow(model);
        RegisterComponents();
    }

    /// <summary>The model itself, as it was given.</summary>
    public nn.Module InferenceModel => _inferenceModel;

    /// <summary>What the loss is divided by before its backward pass; 1 at first.</summary>
    public double LossScalingFactor { get; private set; } = 1.0;

    /// <summary>Checks a model before anything of it is changed.</summary>
    /// <returns>What calls it.</returns>
    internal static ModelInvoker Check(nn.Module model, Func<Tensor, Tensor, Tensor>? lossFn, Func<Batch, ModelOutput>? forwardFn)
    {
        ArgumentNullException.ThrowIfNull(model);
        EnsureUsable(model);
        var invoker = forwardFn is null ? new ModelInvoker(model) : new ModelInvoker(forwardFn);
        if (lossFn is null && !invoker.TakesLabels)
        {
            throw new ArgumentException(Errors.NoLossFunctionAndNoLabels, nameof(model));
        }

        AssertHasLoraLayers(model);
        return invoker;
    }

    // What would train nothing, and say so in words about gradients only.
    private static void EnsureUsable(nn.Module model)
    {
        if (ModuleSurgery.Descendants(model).FirstOrDefault(entry => entry.Module is RemoteModule).Name is { } remote)
        {
            throw new InvalidOperationException(Errors.TrainedAlready(model.GetType(), FrozenGroup.ShortName(remote)));
        }

        (model as LoraModel)?.EnsureAdapting("training");
    }

    /// <summary>Checks that a model has LoRA layers: a child, parameter or buffer named <c>lora_A</c>, <c>lora_B</c>, <c>lora_embedding_A</c>,
    /// <c>lora_embedding_B</c> or <c>lora_dropout</c>, in any case.</summary>
    /// <param name="model">Any module.</param>
    /// <exception cref="ArgumentException">It has none.</exception>
    public static void AssertHasLoraLayers(nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!LoraNames.MarksAdapter(model) && !ModuleSurgery.Descendants(model).Any(entry => LoraNames.MarksAdapter(entry.Module)))
        {
            throw new ArgumentException(Errors.NoLoraLayers, nameof(model));
        }
    }

    /// <summary>Replaces a model's linear layers in place: depth first, in registration order. The root itself, whatever lies below a
    /// child with a LoRA name, and what an adapter trains whole (<see cref="ModulesToSaveWrapper"/>) stay as they are. A layer that several modules hold is replaced in all of them by one.</summary>
    /// <param name="model">The model.</param>
    /// <param name="nLayersToSkipForBackprop">How many linear layers to leave before the first is replaced; 0 or less for none.</param>
    /// <exception cref="NotSupportedException">A layer cannot be replaced; the message names it and the cure. Nothing was changed.</exception>
    public static void ReplaceLayersWithCustom(nn.Module model, int nLayersToSkipForBackprop)
    {
        ArgumentNullException.ThrowIfNull(model);

        // The list is made first: replacing while walking would walk into the replacements.
        var linear = ModuleSurgery.Descendants(model)
            .Where(entry => LinearShape.IsLinear(entry.Module) && !LoraNames.IsAdapters(entry.Name))
            .Skip(Math.Max(nLayersToSkipForBackprop, 0))
            .ToList();
        ModuleSurgery.ReplaceEverywhere(model, linear, typeof(CustomLinear), layer => layer.Module switch
        {
            Conv1D conv => new CustomLinear(conv.weight, conv.bias, weightTransposed: true),
            Linear original => new CustomLinear(original.weight, original.bias),
            _ => throw new InvalidOperationException(),
        });
    }

    /// <summary>Sets what the loss is divided by before its backward pass.</summary>
    /// <param name="lossScalingFactor">Positive and finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public void SetLossScalingFactor(double lossScalingFactor)
    {
        if (!(lossScalingFactor > 0 && double.IsFinite(lossScalingFactor)))
        {
            throw new ArgumentOutOfRangeException(nameof(lossScalingFactor), Errors.PositiveAndFinite(nameof(lossScalingFactor), lossScalingFactor));
        }

        LossScalingFactor = lossScalingFactor;
    }

    /// <summary>The parts of a batch that are not the model's data.</summary>
    /// <param name="inputs">The batch; it is not changed.</param>
    /// <returns>Attention mask and labels, null where the batch has none; they stay the batch's.</returns>
    public static (Tensor? AttentionMask, Tensor? Labels) ProcessInputs(Batch inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return (inputs.AttentionMask, inputs.Labels);
    }

    /// <summary>Computes a batch's loss, and adds the gradient of the scaled loss to the adapters' gradients.</summary>
    /// <param name="input">The batch, on the model's device; it stays the caller's and is not changed.</param>
    /// <returns>The unscaled loss, a detached scalar that the caller disposes of, and null, as the Python module returns.</returns>
    /// <exception cref="ArgumentException">The attention mask holds something else than 0 and 1, a tensor was disposed of, or libtorch refuses
    /// the batch; the text lists its shapes and types.</exception>
    /// <exception cref="InvalidOperationException">The model returned no loss, or no logits for the loss function; the loss is no scalar, or does
    /// not depend on anything that can be trained.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not finite, or outside torch mode what a layer is to multiply. No backward pass was
    /// made.</exception>
    /// <exception cref="NotSupportedException">At the first batch: a layer was computed without its adapter or replacement; the text names all
    /// such layers and the cure. No gradient was computed.</exception>
    public override (Tensor Loss, Tensor? Unused) forward(Batch input)
    {
        // Custom autograd functions need a scope around forward and backward, or the collector frees what the graph still uses.
        using var scope = NewDisposeScope();
        var (attentionMask, labels) = ProcessInputs(input);
        input.ThrowIfDisposed();
        CheckMask(attentionMask);
        var loss = TrainingLoss.Check(ProbedLoss(input, labels));
        Backward(LossScalingFactor == 1.0 ? loss : loss / LossScalingFactor);
        return (loss.detach().MoveToOuterDisposeScope(), null);
    }

    private static void CheckMask(Tensor? mask)
    {
        if (mask is not null && !mask.eq(0).logical_or(mask.eq(1)).all().item<bool>())
        {
            throw new ArgumentException(Errors.InvalidAttentionMask);
        }
    }

    // Once: whether a layer is called past its replacement is a matter of the model's code, not of the batch.
    private Tensor? ProbedLoss(Batch batch, Tensor? labels)
    {
        if (_isProbed)
        {
            return Loss(batch, labels);
        }

        using var probe = new ReachProbe(_inferenceModel);
        var loss = Loss(batch, labels);
        probe.EnsureReached();
        _isProbed = true;
        return loss;
    }

    private Tensor? Loss(Batch batch, Tensor? labels)
    {
        if (_lossFn is null)
        {
            return Computed("the model", batch, () => _invoker.Invoke(batch)).Loss ?? throw new InvalidOperationException(Errors.NoLossReturned);
        }

        // A model that can do without labels would compute a loss nobody reads.
        var output = Computed("the model", batch, () => _invoker.Invoke(_invoker.NeedsLabels ? batch : batch.WithoutLabels()));
        var logits = output.Logits ?? throw new InvalidOperationException(Errors.NoLogitsReturned);
        return labels is null
            ? throw new ArgumentException(Errors.NoLabels, nameof(batch))
            : Computed("lossFn", batch, () => _lossFn(logits, labels));
    }

    // libtorch's own words name neither the batch nor who was computing.
    private static T Computed<T>(string by, Batch batch, Func<T> compute)
    {
        try
        {
            return compute();
        }
        catch (ExternalException exception)
        {
            throw new ArgumentException(Errors.BatchRefused(by, batch.Describe(), exception.Message), nameof(batch), exception);
        }
    }

    private void Backward(Tensor loss)
    {
        try
        {
            loss.backward();
        }
        catch (ExternalException exception)
        {
            throw new InvalidOperationException(Errors.BackwardRefused(exception.Message), exception);
        }
        finally
        {
            // A layer whose backward product failed returned no gradient; what it kept is thrown here, where it can be caught.
            BackwardFault.ThrowIfAny(this);
        }
    }
}
