using System.Runtime.InteropServices;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A Llama with its language model head. Every linear layer can be replaced by an adapter or an encrypted layer.</summary>
/// <remarks>
/// Follows transformers' <c>LlamaForCausalLM</c>: root mean square norms, rotary positions, grouped-query attention, gated silu layers.
/// Parameters are <c>model.embed_tokens.weight</c>, <c>model.layers.0.self_attn.q_proj.weight</c> and so on; a tied <c>lm_head</c> shares
/// the embedding's parameter, which is listed once.
/// </remarks>
public sealed class LlamaForCausalLM : CausalLanguageModel
{
    [ComponentName(Name = "model")]
    private readonly LlamaModel _model;

    [ComponentName(Name = "lm_head")]
    private readonly nn.Module<Tensor, Tensor> _head;

    /// <summary>Makes a model with fresh random weights, in training mode: normal with the configuration's deviation, biases 0, norms
    /// 1.</summary>
    /// <param name="config">The architecture.</param>
    public LlamaForCausalLM(LlamaConfig config)
        : this(config, InitializeRandomly)
    {
    }

    private LlamaForCausalLM(LlamaConfig config, Action<LlamaForCausalLM> fill)
        : base(nameof(LlamaForCausalLM))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        EndOfSequenceIds = config.EndOfSequenceIds;
        _model = new LlamaModel(config);
        _head = config.TieWordEmbeddings
            ? nn.Linear(_model.EmbeddingWeight)
            : LlamaLinear.Create(config.HiddenSize, config.VocabularySize, hasBias: false);
        RegisterComponents();
        foreach (var parameter in parameters())
        {
            // A model made inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }

        using var noGradient = no_grad();
        fill(this);
    }

    /// <summary>The architecture.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc/>
    public override string ModelType => LlamaConfig.ModelType;

    /// <inheritdoc/>
    public override nn.Module OutputEmbeddings => _head;

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabularySize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositionEmbeddings;

    /// <summary>Loads a Llama from a Hugging Face folder.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no Llama, an option is not supported, a file is faulty, or a tensor is
    /// missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static new LlamaForCausalLM FromPretrained(string folder)
    {
        var config = LlamaConfig.Load(folder);
        var generationEnds = GenerationConfigFile.EndOfSequenceIds(folder);
        using var weights = WeightFolder.Open(folder);
        weights.Check(LlamaTensors.Of(config), name => LlamaTensors.IsIgnored(name, config));
        if (config.TieWordEmbeddings)
        {
            weights.CheckTied(LlamaTensors.OutputEmbedding, LlamaTensors.Embedding);
        }

        var model = new LlamaForCausalLM(config, made => Fill(made, weights));
        model.NameOrPath = folder;
        model.EndOfSequenceIds = generationEnds ?? config.EndOfSequenceIds;
        model.eval();
        return model;
    }

    private static void Fill(LlamaForCausalLM model, WeightFolder weights)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            weights.Read(name, MemoryMarshal.Cast<byte, float>(parameter.bytes));
        }
    }

    private static void InitializeRandomly(LlamaForCausalLM model)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (name.EndsWith(".bias", StringComparison.Ordinal))
            {
                nn.init.zeros_(parameter);
            }
            else if (parameter.dim() > 1)
            {
                nn.init.normal_(parameter, 0, model.Config.InitializerRange);
            }
        }
    }

    /// <summary>Predicts the token after each token.</summary>
    /// <param name="inputIds">Int64 [batch, length], each an id of the vocabulary.</param>
    /// <param name="attentionMask">Of the same shape, 0 on padding; null where there is none.</param>
    /// <param name="labels">Int64 of the same shape, usually the ids themselves, −100 where none is asked for; null: no loss.</param>
    /// <returns>Logits [batch, length, vocabulary] and, with labels, the mean cross entropy over the tokens asked for: not a number
    /// where there are none. The caller disposes them, through a dispose scope around forward and backward.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id or label is not of the vocabulary.</exception>
    public override ModelOutput forward(Tensor inputIds, Tensor? attentionMask, Tensor? labels)
    {
        CausalInputs.Check(inputIds, attentionMask, labels, Config.VocabularySize);
        var logits = _head.call(Hidden(inputIds, attentionMask, positions: null, cache: null));
        return new ModelOutput { Logits = logits, Loss = labels is null ? null : ShiftedCrossEntropy.Mean(logits, labels) };
    }

    /// <summary>What the head gets.</summary>
    internal Tensor Hidden(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache) =>
        _model.call(inputIds, attentionMask, positions, cache);

    internal override Tensor LastLogits(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache)
    {
        var hidden = Hidden(inputIds, attentionMask, positions, cache);
        return _head.call(hidden.narrow(1, hidden.shape[1] - 1, 1)).squeeze(1);
    }

    internal override KeyValueCache CreateCache(int batch, int capacity)
    {
        var weight = _model.EmbeddingWeight;
        long[] shape = [batch, Config.KeyValueHeadCount, capacity, Config.HeadDim];
        return new KeyValueCache(Config.LayerCount, shape, weight.dtype, weight.device);
    }
}
