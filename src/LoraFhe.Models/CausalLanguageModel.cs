using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A decoder language model that predicts the next token: what all families have in common.</summary>
/// <remarks>Called without labels it gives logits, with labels the loss too; what padding predicts means nothing.</remarks>
public abstract class CausalLanguageModel : PretrainedModel
{
    private protected CausalLanguageModel(string name, PretrainedConfig config)
        : base(name, config) => EndOfSequenceIds = config.EndOfSequenceIds;

    /// <inheritdoc/>
    public sealed override nn.Module OutputEmbeddings => Head;

    /// <summary>Tokens that end a generated text: <c>generation_config.json</c>'s, otherwise <c>config.json</c>'s; may be empty.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; private set; }

    /// <summary>From a state to logits.</summary>
    private protected abstract nn.Module<Tensor, Tensor> Head { get; }

    /// <summary>Loads a model from a Hugging Face folder, whichever supported family it is of.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="PlatformNotSupportedException">TorchSharp does not run on this system; the message names the cure.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The family or an option is not supported, a file is faulty, or a tensor is missing,
    /// unexpected or of another shape; the text names file and key or tensor.</exception>
    public static CausalLanguageModel FromPretrained(string folder)
    {
        LibTorch.EnsureSupported();
        var type = ConfigFile.Read(folder)["model_type"];
        return type.Text switch
        {
            Gpt2Config.ModelType => Gpt2LMHeadModel.FromPretrained(folder),
            LlamaConfig.ModelType => LlamaForCausalLM.FromPretrained(folder),
            _ => throw type.Unsupported($"'{Gpt2Config.ModelType}' and '{LlamaConfig.ModelType}' are"),
        };
    }

    /// <summary>Makes a model with the weights and the end tokens of a folder, in evaluation mode.</summary>
    private protected static TModel LoadCausal<TModel>(string folder, Checkpoint checkpoint, Func<Action<nn.Module>, TModel> create)
        where TModel : CausalLanguageModel
    {
        var ends = GenerationConfigFile.EndOfSequenceIds(folder);
        var model = Load(folder, checkpoint, create);
        model.EndOfSequenceIds = ends ?? model.EndOfSequenceIds;
        return model;
    }

    /// <summary>Predicts the token after each token.</summary>
    /// <param name="inputIds">Int64 [batch, length], each an id of the vocabulary.</param>
    /// <param name="attentionMask">Of the same shape, 0 on padding; null where there is none.</param>
    /// <param name="labels">Int64 of the same shape, usually the ids themselves, −100 where none is asked for; null: no loss.</param>
    /// <param name="positionIds">Int64 of the same shape, or [1, length] for all texts; for left padding usually max(0, running sum of the
    /// mask − 1); null: 0 to the length less one. Without a mask, positions that do not follow each other part a row into packed texts, none of
    /// which sees another, as in transformers.</param>
    /// <returns>Logits [batch, length, vocabulary] and, with labels, the mean cross entropy of each token against the label after it, over
    /// the tokens asked for: not a number where there are none. The caller disposes them, through a dispose scope around forward and
    /// backward.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id, label or position is out of range.</exception>
    public sealed override ModelOutput forward(Tensor inputIds, Tensor? attentionMask, Tensor? labels, Tensor? positionIds)
    {
        CheckInputs(inputIds, attentionMask, positionIds);
        if (labels is not null)
        {
            ModelInputs.CheckTokenLabels(labels, inputIds, VocabularySize);
        }

        var logits = Head.call(Decoder.call(inputIds, attentionMask, positionIds, null));
        return new ModelOutput { Logits = logits, Loss = labels is null ? null : ShiftedCrossEntropy.Mean(logits, labels) };
    }

    /// <summary>Continues a text.</summary>
    /// <param name="tokenizer">The tokenizer of the model's folder.</param>
    /// <param name="prompt">The text; the tokenizer adds its start token, if it has one.</param>
    /// <param name="options">How; null: greedy, 64 tokens at most.</param>
    /// <param name="onText">Called with each new piece of text as soon as its characters are whole.</param>
    /// <param name="cancellationToken">Asked before each token.</param>
    /// <returns>The new text, without the prompt and without special tokens.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, too long or not of the model's vocabulary, or an option is
    /// faulty.</exception>
    /// <exception cref="InvalidOperationException">The model's logits are not numbers.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was canceled.</exception>
    /// <remarks>Ends at the options' end tokens, otherwise at the model's, otherwise at the tokenizer's.</remarks>
    public string Generate(
        PretrainedTokenizer tokenizer,
        string prompt,
        GenerationOptions? options = null,
        Action<string>? onText = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        if (options.EndOfSequenceIds is null && EndOfSequenceIds.Count == 0 && tokenizer.EosTokenId is { } end)
        {
            options = options with { EndOfSequenceIds = [end] };
        }

        var stream = onText is null ? null : new TextStream(tokenizer, onText);
        var ids = Generate(tokenizer.Encode(prompt), options, stream is null ? null : stream.Add, cancellationToken);
        stream?.End();
        return tokenizer.Decode(ids);
    }

    /// <summary>Continues a prompt.</summary>
    /// <param name="promptIds">At least one token id, and fewer than <see cref="PretrainedModel.MaxPositions"/>.</param>
    /// <param name="options">How; null: greedy, 64 tokens at most.</param>
    /// <param name="onToken">Called with each new token as soon as it is chosen.</param>
    /// <param name="cancellationToken">Asked before each token.</param>
    /// <returns>The new tokens, the one that ended the text included.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, too long or has an id outside the vocabulary, or an option is
    /// faulty.</exception>
    /// <exception cref="InvalidOperationException">The model's logits are not numbers.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was canceled.</exception>
    /// <remarks>Runs the modules that are in place, adapters and encrypted layers included, in evaluation mode and without gradients;
    /// the training flag is restored. Draws from the options' seed only, never from torch's generator.</remarks>
    public int[] Generate(
        IReadOnlyList<int> promptIds,
        GenerationOptions? options = null,
        Action<int>? onToken = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(promptIds);
        return Generate([promptIds], options, onToken is null ? null : (_, id) => onToken(id), cancellationToken)[0];
    }

    /// <summary>Continues several prompts together; each gets the tokens it would get alone.</summary>
    /// <param name="promptIds">At least one prompt of at least one token id each; lengths may differ.</param>
    /// <param name="options">How; null: greedy, 64 tokens at most. With sampling, rows draw from separate streams of the seed.</param>
    /// <param name="onToken">Called with the prompt's index and each new token as soon as it is chosen.</param>
    /// <param name="cancellationToken">Asked before each token.</param>
    /// <returns>The new tokens of each prompt, the one that ended the text included.</returns>
    /// <exception cref="ArgumentException">A prompt is empty, too long or has an id outside the vocabulary, or an option is
    /// faulty.</exception>
    /// <exception cref="InvalidOperationException">The model's logits are not numbers.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was canceled.</exception>
    public int[][] Generate(
        IReadOnlyList<IReadOnlyList<int>> promptIds,
        GenerationOptions? options = null,
        Action<int, int>? onToken = null,
        CancellationToken cancellationToken = default)
    {
        using var generation = TextGeneration.Start(this, promptIds, options ?? new GenerationOptions(), onToken);
        return generation.Run(cancellationToken);
    }

    /// <summary>Memory for a generation's keys and values.</summary>
    internal KeyValueCache CreateCache(int batch, int capacity) => Decoder.CreateCache(batch, capacity);

    /// <summary>The logits of each row's last token.</summary>
    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="attentionMask">Int64 [batch, tokens in the cache + length]; null where nothing is padded.</param>
    /// <param name="positions">Int64 [batch, length]; null: consecutive after the cache's.</param>
    /// <param name="cache">Null: the ids are the whole text.</param>
    /// <returns>Floats [batch, vocabulary].</returns>
    internal Tensor LastLogits(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache)
    {
        var hidden = Decoder.call(inputIds, attentionMask, positions, cache);
        return Head.call(hidden.narrow(1, hidden.shape[1] - 1, 1)).squeeze(1);
    }
}
