using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A decoder language model that predicts the next token: what all families have in common.</summary>
/// <remarks>
/// <c>forward(inputIds, attentionMask, labels)</c> takes int64 [batch, length] ids, an optional mask of the same shape (0 on padding) and
/// optional labels of the same shape (−100 where none is asked for); it returns float logits [batch, length, vocabulary] and, with
/// labels, the mean cross entropy of each token against the label after it. As in Hugging Face's models positions never follow from
/// the mask there, and what padding predicts means nothing. Module and parameter names are Hugging Face's. Not thread-safe.
/// </remarks>
public abstract class CausalLanguageModel : nn.Module<Tensor, Tensor?, Tensor?, ModelOutput>, IPretrainedModel
{
    /// <summary>The label that asks for no prediction.</summary>
    public const long IgnoreIndex = -100;

    private protected CausalLanguageModel(string name)
        : base(name)
    {
    }

    /// <summary>The family, as <c>model_type</c> spells it.</summary>
    public abstract string ModelType { get; }

    /// <summary>The folder the model was loaded from; null for a fresh one. An adapter's file records it.</summary>
    public string? NameOrPath { get; private protected set; }

    /// <summary>The layer that makes logits; adapters leave it out of <c>all-linear</c>, and it stays with the client.</summary>
    public abstract nn.Module OutputEmbeddings { get; }

    /// <summary>Tokens of the vocabulary; ids are 0 to one less.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest text, prompt and answer together, that generation makes.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>Tokens that end a generated text: <c>generation_config.json</c>'s, otherwise <c>config.json</c>'s; may be empty.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; private protected set; } = [];

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
        var config = LlamaConfig.ReadFile(folder);
        var type = config["model_type"];
        return type.Text switch
        {
            LlamaConfig.ModelType => LlamaForCausalLM.FromPretrained(folder),
            _ => throw type.Unsupported($"'{LlamaConfig.ModelType}' is"),
        };
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
    /// <param name="promptIds">At least one token id, and fewer than <see cref="MaxPositions"/>.</param>
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
    internal abstract KeyValueCache CreateCache(int batch, int capacity);

    /// <summary>The logits of each row's last token.</summary>
    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="attentionMask">Int64 [batch, tokens in the cache + length]; null where nothing is padded.</param>
    /// <param name="positions">Int64 [batch, length]; null: consecutive after the cache's.</param>
    /// <param name="cache">Null: the ids are the whole text.</param>
    /// <returns>Floats [batch, vocabulary].</returns>
    internal abstract Tensor LastLogits(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache);
}
