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

    /// <summary>Makes a model with fresh random weights, in training mode: normal with the configuration's deviation, biases and
    /// padding 0, norms 1.</summary>
    /// <param name="config">The architecture.</param>
    public LlamaForCausalLM(LlamaConfig config)
        : this(config, model => LlamaTensors.FillFresh(model, config))
    {
    }

    private LlamaForCausalLM(LlamaConfig config, Action<nn.Module> fill)
        : base(nameof(LlamaForCausalLM), config)
    {
        Config = config;
        _model = new LlamaModel(config);
        _head = TokenHead.Create(_model, config);
        Complete(fill);
    }

    /// <summary>The architecture.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc/>
    public override string ModelType => LlamaConfig.ModelType;

    private protected override Decoder Decoder => _model;

    private protected override nn.Module<Tensor, Tensor> Head => _head;

    /// <summary>Loads a Llama from a Hugging Face folder.</summary>
    /// <param name="folder">Holds <c>config.json</c> and <c>model.safetensors</c>, or shards and their index.</param>
    /// <returns>The model in evaluation mode, float32, all parameters trainable; the caller disposes it.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException"><c>config.json</c>, the weights or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no Llama, an option is not supported, a file is faulty, or a tensor is
    /// missing, unexpected or of another shape; the text names file and key or tensor.</exception>
    public static new LlamaForCausalLM FromPretrained(string folder)
    {
        var json = ConfigFile.Read(folder);
        ConfigFile.CheckClass(json, LlamaConfig.CausalClass, Errors.ClassifierCure);
        var config = new LlamaConfig(json);
        return LoadCausal(folder, LlamaTensors.Causal(config), fill => new LlamaForCausalLM(config, fill));
    }
}
