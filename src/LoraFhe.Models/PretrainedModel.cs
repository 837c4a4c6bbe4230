using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A decoder and a head: what all models of this library have in common.</summary>
/// <remarks>
/// <c>forward(inputIds, attentionMask, labels, positionIds)</c> takes int64 [batch, length] ids, and optionally a mask, 0 on padding, and
/// int64 positions of the same shape, or one row of them for all texts. As in Hugging Face's models positions never follow from the mask
/// there: without any they are 0 to the length less one. Module and parameter names are Hugging Face's. Not thread-safe.
/// </remarks>
public abstract class PretrainedModel : nn.Module<Tensor, Tensor?, Tensor?, Tensor?, ModelOutput>, IPretrainedModel
{
    /// <summary>The label that asks for no prediction.</summary>
    public const long IgnoreIndex = -100;

    private readonly PretrainedConfig _config;

    private protected PretrainedModel(string name, PretrainedConfig config)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
    }

    /// <summary>The family, as <c>model_type</c> spells it.</summary>
    public abstract string ModelType { get; }

    /// <summary>The folder the model was loaded from; null for a fresh one. An adapter's file records it.</summary>
    public string? NameOrPath { get; private set; }

    /// <summary>The layer that makes a token's logits: adapters leave it out of <c>all-linear</c>, and it stays with the client. Null where
    /// there is none.</summary>
    public abstract nn.Module? OutputEmbeddings { get; }

    /// <summary>Tokens of the vocabulary; ids are 0 to one less.</summary>
    public int VocabularySize => _config.VocabularySize;

    /// <summary>The longest text, prompt and answer together, that generation makes.</summary>
    public int MaxPositions => _config.MaxPositionEmbeddings;

    /// <summary>The model without its head.</summary>
    private protected abstract Decoder Decoder { get; }

    /// <summary>Calls the model with running positions: <c>call</c> without its fourth argument.</summary>
    /// <param name="inputIds">Int64 [batch, length], each an id of the vocabulary.</param>
    /// <param name="attentionMask">Of the same shape, 0 on padding; null where there is none.</param>
    /// <param name="labels">What is to be predicted; null: no loss.</param>
    /// <returns>Logits and, with labels, the loss. The caller disposes them, through a dispose scope around forward and backward.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id or label is out of range.</exception>
    public ModelOutput call(Tensor inputIds, Tensor? attentionMask, Tensor? labels) => call(inputIds, attentionMask, labels, null);

    /// <summary>What the first layer gets, what each layer gives, and last the normalized states, which the head gets.</summary>
    /// <param name="inputIds">Int64 [batch, length], each an id of the vocabulary.</param>
    /// <param name="attentionMask">Of the same shape, 0 on padding; null where there is none.</param>
    /// <param name="positionIds">Int64 of the same shape, or [1, length] for all texts; null: 0 to the length less one.</param>
    /// <returns>Floats [batch, length, hidden size], two more than there are layers; the caller disposes them. transformers'
    /// <c>output_hidden_states</c> are the same without the last but one: the last layer's, before the norm.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id or position is out of range.</exception>
    public IReadOnlyList<Tensor> HiddenStates(Tensor inputIds, Tensor? attentionMask = null, Tensor? positionIds = null)
    {
        CheckInputs(inputIds, attentionMask, positionIds);
        return Decoder.States(inputIds, attentionMask, positionIds);
    }

    private protected void CheckInputs(Tensor inputIds, Tensor? attentionMask, Tensor? positionIds) =>
        ModelInputs.Check(inputIds, attentionMask, positionIds, VocabularySize, Decoder.PositionCount);

    /// <summary>What every constructor ends with: registers the parts and sets their weights.</summary>
    private protected void Complete(Action<nn.Module> fill)
    {
        RegisterComponents();
        foreach (var parameter in parameters())
        {
            // A model made inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }

        try
        {
            using var noGradient = no_grad();
            fill(this);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Makes a model with the weights of a folder, in evaluation mode; what the checkpoint does not have is drawn.</summary>
    private protected static TModel Load<TModel>(string folder, Checkpoint checkpoint, Func<Action<nn.Module>, TModel> create, long? seed = null)
        where TModel : PretrainedModel
    {
        using var weights = WeightFolder.Open(folder, checkpoint);
        var model = create(made => Fill((PretrainedModel)made, weights, seed));
        model.NameOrPath = folder;
        model.eval();
        return model;
    }

    private static void Fill(PretrainedModel model, WeightFolder weights, long? seed)
    {
        using var generator = seed is { } value ? new Generator(unchecked((ulong)value)) : null;
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (!weights.Has(name))
            {
                // All that a checkpoint needs was found: this is a head that it has none for.
                parameter.normal_(0, model._config.InitializerRange, generator);
                continue;
            }

            weights.Read(name, MemoryMarshal.Cast<byte, float>(parameter.bytes));
            using var scope = NewDisposeScope();
            if (!parameter.isfinite().all().item<bool>())
            {
                // Torch's attention takes a score that is no number for a masked one, and would answer as if all were well.
                throw new InvalidDataException(Errors.TensorNotFinite(weights.FileOf(name), name));
            }
        }
    }
}
