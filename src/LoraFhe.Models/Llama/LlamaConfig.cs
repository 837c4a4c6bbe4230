using System.Text;

namespace LoraFhe.Models;

/// <summary>The architecture of a Llama, as its <c>config.json</c> gives it: checked and immutable.</summary>
/// <remarks>
/// Both spellings are read: <c>rope_parameters</c> and <c>dtype</c>, or <c>rope_theta</c>, <c>rope_scaling</c> and <c>torch_dtype</c>.
/// Absent keys have transformers' defaults, save the five sizes, which must be there. The weights are computed with in single precision,
/// however they are stored. An option that changes what the model computes and that is not known here is an error, never ignored.
/// </remarks>
public sealed class LlamaConfig : PretrainedConfig
{
    /// <summary>The <c>model_type</c> of this family.</summary>
    public const string ModelType = "llama";

    internal const string CausalClass = "LlamaForCausalLM";
    internal const string ClassifierClass = "LlamaForSequenceClassification";
    private const double DefaultEpsilon = 1e-6;
    private const int DefaultMaxPositions = 2048;

    /// <param name="json">The file.</param>
    /// <param name="labelCount">How many classes, in place of the file's.</param>
    internal LlamaConfig(NamedJson json, int? labelCount = null)
        : base(json, ModelType, [CausalClass, ClassifierClass], tiesByDefault: false, labelCount)
    {
        HiddenSize = json["hidden_size"].Count;
        IntermediateSize = json["intermediate_size"].Count;
        LayerCount = json["num_hidden_layers"].Count;
        HeadCount = json["num_attention_heads"].Count;
        KeyValueHeadCount = json.CountOr("num_key_value_heads", HeadCount);
        if (HeadCount % KeyValueHeadCount != 0)
        {
            throw json["num_key_value_heads"].WrongValue($"a divisor of 'num_attention_heads', {HeadCount}");
        }

        HeadDim = ReadHeadDim(json, HiddenSize, HeadCount);
        MaxPositionEmbeddings = json.CountOr("max_position_embeddings", DefaultMaxPositions);
        RmsNormEpsilon = json.NumberOr("rms_norm_eps", value => value > 0, "a number above 0", DefaultEpsilon);
        HiddenActivation = Activation.Read(json, "hidden_act", "silu");
        AttentionDropout = json.NumberOr("attention_dropout", value => value is >= 0 and < 1, "a number from 0 to below 1", 0);
        AttentionBias = json.FlagOr("attention_bias", otherwise: false);
        MlpBias = json.FlagOr("mlp_bias", otherwise: false);
        Rotary = RotaryParameters.Read(json);
        if (PadTokenId is { } padding && (padding < -VocabularySize || padding >= VocabularySize))
        {
            throw json["pad_token_id"].WrongValue($"an id of the vocabulary, of {VocabularySize} tokens, or as far from its end");
        }
    }

    /// <summary>Width inside the feed-forward layers.</summary>
    public int IntermediateSize { get; }

    /// <summary>Key and value heads, a divisor of <see cref="PretrainedConfig.HeadCount"/>; each serves a group of query heads.</summary>
    public int KeyValueHeadCount { get; }

    /// <summary>Width of a head, even; <see cref="PretrainedConfig.HiddenSize"/> / <see cref="PretrainedConfig.HeadCount"/> unless the file says otherwise.</summary>
    public int HeadDim { get; }

    /// <summary>Added to the mean square under the root.</summary>
    public double RmsNormEpsilon { get; }

    /// <summary>The activation of the feed-forward layers' gate, as the file spells it.</summary>
    public string HiddenActivation { get; }

    /// <summary>Share of attention weights dropped in training.</summary>
    public double AttentionDropout { get; }

    /// <summary>Whether the four attention layers have a bias.</summary>
    public bool AttentionBias { get; }

    /// <summary>Whether the three feed-forward layers have a bias.</summary>
    public bool MlpBias { get; }

    /// <summary>The token whose embedding is not trained; null where all are. As torch has it, a negative <c>pad_token_id</c> counts from the
    /// end.</summary>
    internal int? PaddingRow => PadTokenId < 0 ? VocabularySize + PadTokenId : PadTokenId;

    /// <summary>The rotary position embedding.</summary>
    public RotaryParameters Rotary { get; }

    /// <summary>Reads a folder's <c>config.json</c>.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no <c>config.json</c>.</exception>
    /// <exception cref="InvalidDataException">The file is not JSON, a key is missing or faulty, or an option is not supported; the text
    /// names it.</exception>
    public static LlamaConfig Load(string folder) => new(ConfigFile.Read(folder));

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call the file.</param>
    /// <exception cref="InvalidDataException">The text is not JSON, a key is missing or faulty, or an option is not supported.</exception>
    public static LlamaConfig Parse(string json, string source = FileName)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(source);
        return new LlamaConfig(NamedJson.Parse(Encoding.UTF8.GetBytes(json), source));
    }

    private static int ReadHeadDim(NamedJson json, int hidden, int heads)
    {
        if (json.TryGetValue("head_dim", out var stated))
        {
            return stated.Count % 2 == 0 ? stated.Count : throw stated.WrongValue("an even number");
        }

        return hidden % (2 * (long)heads) == 0
            ? hidden / heads
            : throw json["hidden_size"].WrongValue($"an even multiple of 'num_attention_heads', {heads}, as 'head_dim' is not given");
    }
}
