using System.Text;

namespace LoraFhe.Models;

/// <summary>The architecture of a GPT-2, as its <c>config.json</c> gives it: checked and immutable.</summary>
/// <remarks>
/// Absent keys have transformers' defaults, save the five sizes, which must be there. The weights are computed with in single precision,
/// however they are stored, so that <c>reorder_and_upcast_attn</c> changes nothing. An option that changes what the model computes and that
/// is not known here is an error, never ignored.
/// </remarks>
public sealed class Gpt2Config : PretrainedConfig
{
    /// <summary>The <c>model_type</c> of this family.</summary>
    public const string ModelType = "gpt2";

    internal const string CausalClass = "GPT2LMHeadModel";
    internal const string ClassifierClass = "GPT2ForSequenceClassification";
    private const double DefaultDropout = 0.1;
    private const double DefaultEpsilon = 1e-5;

    /// <param name="json">The file.</param>
    /// <param name="labelCount">How many classes, in place of the file's.</param>
    internal Gpt2Config(NamedJson json, int? labelCount = null)
        : base(json, ModelType, [CausalClass, ClassifierClass], tiesByDefault: true, labelCount)
    {
        MaxPositionEmbeddings = ReadSize(json, "n_positions", "max_position_embeddings");
        HiddenSize = ReadSize(json, "n_embd", "hidden_size");
        LayerCount = ReadSize(json, "n_layer", "num_hidden_layers");
        HeadCount = ReadSize(json, "n_head", "num_attention_heads");
        if (HiddenSize % HeadCount != 0)
        {
            throw json["n_embd"].WrongValue($"a multiple of 'n_head', {HeadCount}");
        }

        InnerSize = json.TryGetValue("n_inner", out var inner) ? inner.Count : 4L * HiddenSize;
        ActivationFunction = Activation.Read(json, "activation_function", "gelu_new");
        LayerNormEpsilon = json.NumberOr("layer_norm_epsilon", value => value > 0, "a number above 0", DefaultEpsilon);
        EmbeddingDropout = ReadDropout(json, "embd_pdrop");
        AttentionDropout = ReadDropout(json, "attn_pdrop");
        ResidualDropout = ReadDropout(json, "resid_pdrop");
        ScaleAttentionWeights = json.FlagOr("scale_attn_weights", otherwise: true);
        ScaleAttentionByInverseLayerIndex = json.FlagOr("scale_attn_by_inverse_layer_idx", otherwise: false);
    }

    /// <summary>Width inside the feed-forward layers; four times <see cref="PretrainedConfig.HiddenSize"/> unless the file says
    /// otherwise.</summary>
    public long InnerSize { get; }

    /// <summary>The activation between the feed-forward layers, as the file spells it.</summary>
    public string ActivationFunction { get; }

    /// <summary>Added to the variance under the root.</summary>
    public double LayerNormEpsilon { get; }

    /// <summary>Share of the embeddings' values dropped in training.</summary>
    public double EmbeddingDropout { get; }

    /// <summary>Share of attention weights dropped in training.</summary>
    public double AttentionDropout { get; }

    /// <summary>Share of what attention and feed-forward part add to the residual stream dropped in training.</summary>
    public double ResidualDropout { get; }

    /// <summary>Whether attention scores are divided by the root of a head's width.</summary>
    public bool ScaleAttentionWeights { get; }

    /// <summary>Whether the attention scores of layer i, from 0, are divided by i + 1 as well.</summary>
    public bool ScaleAttentionByInverseLayerIndex { get; }

    /// <summary>Reads a folder's <c>config.json</c>.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no <c>config.json</c>.</exception>
    /// <exception cref="InvalidDataException">The file is not JSON, a key is missing or faulty, or an option is not supported; the text
    /// names it.</exception>
    public static Gpt2Config Load(string folder) => new(ConfigFile.Read(folder));

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call the file.</param>
    /// <exception cref="InvalidDataException">The text is not JSON, a key is missing or faulty, or an option is not supported.</exception>
    public static Gpt2Config Parse(string json, string source = FileName)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(source);
        return new Gpt2Config(NamedJson.Parse(Encoding.UTF8.GetBytes(json), source));
    }

    // transformers knows the sizes by a second name as well, the one that other families use.
    private static int ReadSize(NamedJson json, string key, string alias)
    {
        if (!json.TryGetValue(alias, out var other))
        {
            return json[key].Count;
        }

        return !json.TryGetValue(key, out var size) || size.Count == other.Count
            ? other.Count
            : throw other.WrongValue($"what '{key}', its other name, is: {size.Count}");
    }

    private static double ReadDropout(NamedJson json, string key) =>
        json.NumberOr(key, value => value is >= 0 and < 1, "a number from 0 to below 1", DefaultDropout);
}
