using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A GPT-2 with its language model head. Every linear layer can be replaced by an adapter or an encrypted layer.</summary>
/// <remarks>
/// Follows transformers' <c>GPT2LMHeadModel</c>: layer norms, learned positions, linear layers stored [in, out]. Parameters are
/// <c>transformer.wte.weight</c>, <c>transformer.h.0.attn.c_attn.weight</c> and so on; a tied <c>lm_head</c> shares the embedding's
/// parameter, which is listed once.
/// </remarks>
public sealed class Gpt2LMHeadModel : CausalLanguageModel
{
    [ComponentName(Name = "transformer")]
    private readonly Gpt2Model _model;

    [ComponentName(Name = "lm_head")]
    private readonly nn.Module<Tensor, Tensor> _head;

    /// <summary>Makes a model with fresh random weights, in training mode: normal with the configuration's deviation, the layers that end on
    /// the residual stream with that over √(2 · layers), biases 0, norms 1.</summary>
    /// <param name="config">The architecture.</param>
    public Gpt2LMHeadModel(Gpt2Config config)
        : this(config, model => FreshWeights.Fill(model, name => Gpt2Tensors.FreshDeviation(name, config)))
    {
    }

    private Gpt2LMHeadModel(Gpt2Config config, Action<nn.Module> fill)
        : base(nameof(Gpt2LMHeadModel), config)
    {
        Config = config;
        _model = new Gpt2Model(config);
        _head = TokenHead.Create(_model, config);
        Complete(fill);
    }

    /// <summary>The architecture.</summary>
    public Gpt2Config Config { get; }

    /// <inheritdoc/>
    public override string ModelType => Gpt2Config.ModelType;

    private protected override Decoder Decoder => _model;

    private protected override nn.Module<Tensor, Tensor> Head => _head;

    /// <summary>Loads a GPT-2 from a Hugging Face folder, its tensors named with or without <c>transformer.</c> in front.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no GPT-2, an option is not supported, a file is faulty, or a tensor is
    /// missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static new Gpt2LMHeadModel FromPretrained(string folder)
    {
        var json = ConfigFile.Read(folder);
        ConfigFile.CheckClass(json, Gpt2Config.CausalClass, Errors.ClassifierCure);
        var config = new Gpt2Config(json);
        return LoadCausal(folder, Gpt2Tensors.Causal(config), fill => new Gpt2LMHeadModel(config, fill));
    }
}
