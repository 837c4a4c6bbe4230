using System.Text;

namespace LoraFhe.Models;

/// <summary>The architecture of a Llama, as its <c>config.json</c> gives it: checked and immutable.</summary>
/// <remarks>
/// Both spellings are read: <c>rope_parameters</c> and <c>dtype</c>, or <c>rope_theta</c>, <c>rope_scaling</c> and <c>torch_dtype</c>.
/// Absent
/// keys have transformers' defaults, save the five sizes, which must be there. An option that changes what the model computes and
/// that is not known here is an error, never ignored. The element type says how the weights are stored; they are computed with in
/// single precision whatever it is.
/// </remarks>
public sealed class LlamaConfig
{
    /// <summary>The <c>model_type</c> of this family.</summary>
    public const string ModelType = "llama";

    internal const string ModelClass = "LlamaForCausalLM";
    private const string FileName = "config.json";
    private const double DefaultEpsilon = 1e-6;
    private const double DefaultInitializerRange = 0.02;
    private const int DefaultMaxPositions = 2048;

    private LlamaConfig(NamedJson json)
    {
        CheckOptions(json);
        VocabularySize = json["vocab_size"].Count;
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
        InitializerRange = json.NumberOr("initializer_range", value => value >= 0, "a number from 0", DefaultInitializerRange);
        AttentionDropout = json.NumberOr("attention_dropout", value => value is >= 0 and < 1, "a number from 0 to below 1", 0);
        AttentionBias = json.FlagOr("attention_bias", otherwise: false);
        MlpBias = json.FlagOr("mlp_bias", otherwise: false);
        TieWordEmbeddings = json.FlagOr("tie_word_embeddings", otherwise: false);
        EndOfSequenceIds = TokenIds.Read(json, "eos_token_id") ?? [];
        StoredType = json.TextOrNull("dtype") ?? json.TextOrNull("torch_dtype");
        Rotary = RotaryParameters.Read(json);
    }

    /// <summary>Tokens of the vocabulary.</summary>
    public int VocabularySize { get; }

    /// <summary>Width of the residual stream.</summary>
    public int HiddenSize { get; }

    /// <summary>Width inside the feed-forward layers.</summary>
    public int IntermediateSize { get; }

    /// <summary>Number of decoder layers.</summary>
    public int LayerCount { get; }

    /// <summary>Query heads.</summary>
    public int HeadCount { get; }

    /// <summary>Key and value heads, a divisor of <see cref="HeadCount"/>; each serves a group of query heads.</summary>
    public int KeyValueHeadCount { get; }

    /// <summary>Width of a head, even; <see cref="HiddenSize"/> / <see cref="HeadCount"/> unless the file says otherwise.</summary>
    public int HeadDim { get; }

    /// <summary>The longest text, prompt and answer together, that generation makes.</summary>
    public int MaxPositionEmbeddings { get; }

    /// <summary>Added to the mean square under the root.</summary>
    public double RmsNormEpsilon { get; }

    /// <summary>Standard deviation of a fresh model's weights.</summary>
    public double InitializerRange { get; }

    /// <summary>Share of attention weights dropped in training.</summary>
    public double AttentionDropout { get; }

    /// <summary>Whether the four attention layers have a bias.</summary>
    public bool AttentionBias { get; }

    /// <summary>Whether the three feed-forward layers have a bias.</summary>
    public bool MlpBias { get; }

    /// <summary>Whether <c>lm_head</c> is the embedding's matrix.</summary>
    public bool TieWordEmbeddings { get; }

    /// <summary>Tokens that end a text; empty where the file has none.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; }

    /// <summary>The element type that the file states for the weights, as it spells it; null where it has none.</summary>
    public string? StoredType { get; }

    /// <summary>The rotary position embedding.</summary>
    public RotaryParameters Rotary { get; }

    /// <summary>Reads a folder's <c>config.json</c>.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no <c>config.json</c>.</exception>
    /// <exception cref="InvalidDataException">The file is not JSON, a key is missing or faulty, or an option is not supported; the text
    /// names it.</exception>
    public static LlamaConfig Load(string folder) => new(ReadFile(folder));

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

    internal static NamedJson ReadFile(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(Errors.NoModelFolder(folder));
        }

        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? NamedJson.ReadFile(path) : throw new FileNotFoundException(Errors.FileMissing(folder, FileName), path);
    }

    private static void CheckOptions(NamedJson json)
    {
        if (json.TryGetValue("model_type", out var type) && type.Text != ModelType)
        {
            throw type.Unsupported($"'{ModelType}' is");
        }

        if (json.TryGetValue("architectures", out var classes) && !classes.Items.Any(item => item.Text == ModelClass))
        {
            throw classes.Unsupported($"'{ModelClass}' is");
        }

        if (json.TryGetValue("hidden_act", out var activation) && activation.Text != "silu")
        {
            throw activation.Unsupported("'silu' is");
        }

        if (json.TryGetValue("quantization_config", out var quantization))
        {
            throw quantization.Unsupported("weights in F32, F16 or BF16 are");
        }
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
