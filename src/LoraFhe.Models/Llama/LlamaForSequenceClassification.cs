using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A Llama that tells the class of a text.</summary>
/// <remarks>Follows transformers' <c>LlamaForSequenceClassification</c>. Parameters are those of the decoder, under <c>model</c>, and
/// <c>score.weight</c>.</remarks>
public sealed class LlamaForSequenceClassification : SequenceClassifier
{
    [ComponentName(Name = "model")]
    private readonly LlamaModel _model;

    [ComponentName(Name = "score")]
    private readonly nn.Module<Tensor, Tensor> _score;

    /// <summary>Makes a model with fresh random weights, in training mode: normal with the configuration's deviation, biases and
    /// padding 0, norms 1.</summary>
    /// <param name="config">The architecture and the classes.</param>
    public LlamaForSequenceClassification(LlamaConfig config)
        : this(config, model => LlamaTensors.FillFresh(model, config))
    {
    }

    private LlamaForSequenceClassification(LlamaConfig config, Action<nn.Module> fill)
        : base(nameof(LlamaForSequenceClassification), config)
    {
        Config = config;
        _model = new LlamaModel(config);
        _score = BareLinear.Create(config.HiddenSize, config.Labels.Count, hasBias: false);
        Complete(fill);
    }

    /// <summary>The architecture.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc/>
    public override string ModelType => LlamaConfig.ModelType;

    private protected override Decoder Decoder => _model;

    private protected override nn.Module<Tensor, Tensor> Score => _score;

    /// <summary>Loads a classifier from a Hugging Face folder.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no such classifier, an option is not supported, a file is faulty, or a tensor
    /// is missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static new LlamaForSequenceClassification FromPretrained(string folder)
    {
        var json = ConfigFile.Read(folder);
        ConfigFile.CheckClass(json, LlamaConfig.ClassifierClass, Errors.LanguageModelCure);
        var config = new LlamaConfig(json);
        return Load(folder, LlamaTensors.Classifier(config), fill => new LlamaForSequenceClassification(config, fill));
    }

    /// <summary>Makes a classifier of a Llama language model: its weights under a head drawn at random, to be fine-tuned.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <param name="labelCount">How many classes; 1 for a number.</param>
    /// <param name="seed">Draws the head from a generator of its own; null: from torch's global one.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="labelCount"/> is not positive.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no such language model, an option is not supported, a file is faulty, or a
    /// tensor is missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static new LlamaForSequenceClassification FromPretrained(string folder, int labelCount, long? seed = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(labelCount);
        var json = ConfigFile.Read(folder);
        ConfigFile.CheckClass(json, LlamaConfig.CausalClass, Errors.FreshHeadCure);
        var config = new LlamaConfig(json, labelCount);
        return Load(folder, LlamaTensors.Body(config), fill => new LlamaForSequenceClassification(config, fill), seed);
    }
}
