using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A decoder that tells the class of a text, from its last token: what all families have in common.</summary>
/// <remarks>
/// The last token is the rightmost that is not <see cref="PadTokenId"/>, wherever the padding stands and whatever the attention mask says, as
/// in transformers. The head is called <c>score</c>; peft trains it whole beside adapters of task type <c>SEQ_CLS</c>, and so does
/// <see cref="TaskType.SeqCls"/>.
/// </remarks>
public abstract class SequenceClassifier : PretrainedModel
{
    private protected SequenceClassifier(string name, PretrainedConfig config)
        : base(name, config) => (Labels, ProblemType, PadTokenId) = (config.Labels, config.ProblemType, config.PadTokenId);

    /// <summary>The names of the classes: <c>config.json</c>'s <c>id2label</c>.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>What labels are; null: one class is a number, whole numbers are classes, others are yes or no to each class.</summary>
    public ProblemType? ProblemType { get; }

    /// <summary>The token that fills up shorter texts; null: only one text at a time can be classified. From <c>config.json</c>.</summary>
    public int? PadTokenId { get; set; }

    /// <summary>None: the head gives classes, not tokens.</summary>
    public sealed override nn.Module? OutputEmbeddings => null;

    /// <summary>From a state to classes.</summary>
    private protected abstract nn.Module<Tensor, Tensor> Score { get; }

    /// <summary>Loads a classifier from a Hugging Face folder, whichever supported family it is of.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="PlatformNotSupportedException">TorchSharp does not run on this system; the message names the cure.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The family or an option is not supported, the folder holds no classifier, a file is faulty, or
    /// a tensor is missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static SequenceClassifier FromPretrained(string folder)
    {
        LibTorch.EnsureSupported();
        var type = ConfigFile.Read(folder)["model_type"];
        return type.Text switch
        {
            Gpt2Config.ModelType => Gpt2ForSequenceClassification.FromPretrained(folder),
            LlamaConfig.ModelType => LlamaForSequenceClassification.FromPretrained(folder),
            _ => throw type.Unsupported($"'{Gpt2Config.ModelType}' and '{LlamaConfig.ModelType}' are"),
        };
    }

    /// <summary>Makes a classifier of a language model: its weights under a head drawn at random, to be fine-tuned.</summary>
    /// <param name="folder">A language model's: <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <param name="labelCount">How many classes; 1 for a number.</param>
    /// <param name="seed">Draws the head from a generator of its own; null: from torch's global one.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it. For several texts at a time it needs
    /// its <see cref="PadTokenId"/>, which few language models have.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="labelCount"/> is not positive.</exception>
    /// <exception cref="PlatformNotSupportedException">TorchSharp does not run on this system; the message names the cure.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The family or an option is not supported, the folder holds no language model, a file is faulty,
    /// or a tensor is missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static SequenceClassifier FromPretrained(string folder, int labelCount, long? seed = null)
    {
        LibTorch.EnsureSupported();
        var type = ConfigFile.Read(folder)["model_type"];
        return type.Text switch
        {
            Gpt2Config.ModelType => Gpt2ForSequenceClassification.FromPretrained(folder, labelCount, seed),
            LlamaConfig.ModelType => LlamaForSequenceClassification.FromPretrained(folder, labelCount, seed),
            _ => throw type.Unsupported($"'{Gpt2Config.ModelType}' and '{LlamaConfig.ModelType}' are"),
        };
    }

    /// <summary>Tells the class of each text.</summary>
    /// <param name="inputIds">Int64 [batch, length], each an id of the vocabulary.</param>
    /// <param name="attentionMask">Of the same shape, 0 on padding; null where there is none.</param>
    /// <param name="labels">Int64 [batch] for one class a text, −100 where none is asked for; floats [batch, classes] for numbers or for yes
    /// and no to each class, or [batch] where there is one class; null: no loss.</param>
    /// <param name="positionIds">Int64 of the ids' shape, or [1, length] for all texts; null: 0 to the length less one.</param>
    /// <returns>Logits [batch, classes] and, with labels, the mean loss: cross entropy, squared error or binary cross entropy. The caller
    /// disposes them, through a dispose scope around forward and backward.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or type, an id, label or position is out of range, or there are several
    /// texts and no <see cref="PadTokenId"/>.</exception>
    public sealed override ModelOutput forward(Tensor inputIds, Tensor? attentionMask, Tensor? labels, Tensor? positionIds)
    {
        CheckInputs(inputIds, attentionMask, positionIds);
        var batch = inputIds.shape[0];
        if (PadTokenId is null && batch > 1)
        {
            throw new ArgumentException(Errors.BatchWithoutPadding(batch), nameof(inputIds));
        }

        var states = Decoder.call(inputIds, attentionMask, positionIds, null);
        var rows = arange(batch, ScalarType.Int64, inputIds.device);
        var logits = Score.call(states[TensorIndex.Tensor(rows), TensorIndex.Tensor(LastTokens(inputIds))]);
        var loss = labels is null
            ? null
            : ClassificationLoss.Mean(ProblemType ?? ClassificationLoss.Deduce(labels, Labels.Count), logits, labels);
        return new ModelOutput { Logits = logits, Loss = loss };
    }

    // Int64 [batch]; 0 for a text that is all padding.
    private Tensor LastTokens(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        var columns = arange(inputIds.shape[1], ScalarType.Int64, inputIds.device).expand(inputIds.shape);
        var last = PadTokenId is { } padding ? columns * inputIds.ne(padding).to(ScalarType.Int64) : columns;
        return last.max(1).values.MoveToOuterDisposeScope();
    }
}
