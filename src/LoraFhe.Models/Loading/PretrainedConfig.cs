namespace LoraFhe.Models;

/// <summary>The architecture of a language model, as its <c>config.json</c> gives it: what all families have in common.</summary>
/// <remarks>An option that changes what the model computes and that is not known here is an error, never ignored.</remarks>
public abstract class PretrainedConfig
{
    internal const string FileName = "config.json";
    private const double DefaultInitializerRange = 0.02;

    private protected PretrainedConfig(
        NamedJson json, string modelType, IReadOnlyList<string> modelClasses, bool tiesByDefault, int? labelCount)
    {
        if (json.TryGetValue("model_type", out var type) && type.Text != modelType)
        {
            throw type.Unsupported($"'{modelType}' is");
        }

        if (json.TryGetValue("quantization_config", out var quantization))
        {
            throw quantization.Unsupported("weights in F32, F16 or BF16 are");
        }

        ConfigFile.CheckClass(json, modelClasses);
        Require(json, "is_causal", true);
        Require(json, "is_encoder_decoder", false);
        Require(json, "add_cross_attention", false);
        VocabularySize = json["vocab_size"].Count;
        InitializerRange = json.NumberOr("initializer_range", value => value >= 0, "a number from 0", DefaultInitializerRange);
        TieWordEmbeddings = json.FlagOr("tie_word_embeddings", tiesByDefault);
        EndOfSequenceIds = TokenIds.Read(json, "eos_token_id") ?? [];
        PadTokenId = TokenIds.ReadPadding(json);
        Labels = labelCount is { } count ? ClassLabels.DefaultNames(count) : ClassLabels.ReadNames(json);
        ProblemType = ClassLabels.ReadProblemType(json);
        StoredType = json.TextOrNull("dtype") ?? json.TextOrNull("torch_dtype");
    }

    /// <summary>Tokens of the vocabulary.</summary>
    public int VocabularySize { get; }

    /// <summary>Width of the residual stream.</summary>
    public int HiddenSize { get; private protected init; }

    /// <summary>Number of layers.</summary>
    public int LayerCount { get; private protected init; }

    /// <summary>Query heads.</summary>
    public int HeadCount { get; private protected init; }

    /// <summary>The longest text, prompt and answer together, that generation makes.</summary>
    public int MaxPositionEmbeddings { get; private protected init; }

    /// <summary>Standard deviation of a fresh model's weights.</summary>
    public double InitializerRange { get; }

    /// <summary>Whether <c>lm_head</c> is the embedding's matrix.</summary>
    public bool TieWordEmbeddings { get; }

    /// <summary>Tokens that end a text; empty where the file has none.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; }

    /// <summary>The token that fills up shorter texts; null where the file has none.</summary>
    public int? PadTokenId { get; }

    /// <summary>The names of a classifier's classes; <c>LABEL_0</c> and <c>LABEL_1</c> where the file has none.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>What a classifier's labels are; null where the file leaves it to the labels.</summary>
    public ProblemType? ProblemType { get; }

    /// <summary>The element type that the file states for the weights, as it spells it; null where it has none.</summary>
    public string? StoredType { get; }

    // A text is read from left to right by a decoder alone, whatever else transformers could make of the class.
    private static void Require(NamedJson json, string option, bool supported)
    {
        if (json.TryGetValue(option, out var value) && value.Flag != supported)
        {
            throw value.Unsupported(supported ? "only true is" : "only false is");
        }
    }
}
