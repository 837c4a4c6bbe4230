using System.Collections.ObjectModel;
using System.Text.Json;

namespace LoraFhe;

/// <summary>What adapters a model gets: peft's <c>LoraConfig</c>, with its names and its defaults.</summary>
/// <remarks>
/// Options of peft that are not here, and values marked as not supported, are refused by name, in code and in files: an option that was
/// ignored would give another model than the one asked for.
/// </remarks>
public sealed record LoraConfig
{
    /// <summary>The rank r: rows of A, columns of B. Default 8.</summary>
    public int R { get; init; } = 8;

    /// <summary>α: the adapter's output is scaled by α/r. Default 8.</summary>
    public double LoraAlpha { get; init; } = 8;

    /// <summary>The probability with which an element of an adapter's input is dropped in training, in [0, 1). Default 0.</summary>
    public double LoraDropout { get; init; }

    /// <summary>The layers that get an adapter. Null, the default: peft's choice for the model, <c>c_attn</c> for GPT-2, <c>q_proj</c> and
    /// <c>v_proj</c> for Llama.</summary>
    public TargetModules? TargetModules { get; init; }

    /// <summary>Layers that get none although <see cref="TargetModules"/> names them. Default null.</summary>
    public TargetModules? ExcludeModules { get; init; }

    /// <summary>Which biases are trained too. Default <see cref="LoraBias.None"/>.</summary>
    public LoraBias Bias { get; init; }

    /// <summary>Scale by α/√r instead of α/r, so that the output's size does not fall with the rank (rsLoRA, arXiv 2312.03732). Default false.</summary>
    public bool UseRslora { get; init; }

    /// <summary>Train the norm of each output's row of W + s·B·A beside A and B (DoRA, arXiv 2402.09353): y = m/‖W + s·B·A‖ ∘ (W + s·B·A)·x. Each forward of
    /// an adapted layer needs the norms anew: see <see cref="LoraLinear"/> for what that costs under encryption. Default false.</summary>
    public bool UseDora { get; init; }

    /// <summary>Other ranks for some layers: a regular expression for the end of their name, from a dot on, to their rank. The first that
    /// matches counts. Default empty.</summary>
    public OrderedDictionary<string, int> RankPattern { get; init; } = [];

    /// <summary>Other α for some layers; matched as <see cref="RankPattern"/>. Default empty.</summary>
    public OrderedDictionary<string, double> AlphaPattern { get; init; } = [];

    /// <summary>The numbers of the blocks whose layers get adapters. Null, the default: all. Not with a regular expression as target.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>Regular expressions for the name before the block's number, such as <c>layers</c>. Null, the default: any name.</summary>
    public IReadOnlyList<string>? LayersPattern { get; init; }

    /// <summary>Modules trained whole beside the adapters, such as <c>lm_head</c>: names or ends of names, as peft matches them. For
    /// <see cref="TaskType.SeqCls"/> and <see cref="TaskType.TokenCls"/> <c>classifier</c> and <c>score</c> are added, for
    /// <see cref="TaskType.QuestionAns"/> <c>qa_outputs</c>. Default null.</summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>Whether B has a bias, trained with it and scaled with its product. It cannot be merged into a layer without a bias, and embeddings
    /// cannot have it. Default false.</summary>
    public bool LoraBias { get; init; }

    /// <summary>Whether the adapted weights are stored [in, out]. It is found from the layers; a file records it. Default false.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>How the matrices start. Default <see cref="InitLoraWeights.KaimingUniform"/>.</summary>
    public InitLoraWeights InitLoraWeights { get; init; }

    /// <summary>What the model is trained for, or null. It is recorded; peft picks its wrapper by it.</summary>
    public TaskType? TaskType { get; init; }

    /// <summary>The hub name or folder of the model adapted, or null: the model's own, if it tells one.</summary>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>The hub revision of the model adapted, or null. Recorded only.</summary>
    public string? Revision { get; init; }

    /// <summary>What a file had beside these options: keys without effect here, and how single values were spelled; they are written again.</summary>
    internal IReadOnlyDictionary<string, JsonElement> Carried { get; init; } = ReadOnlyDictionary<string, JsonElement>.Empty;

    /// <summary>Reads <c>adapter_config.json</c> of an adapter's folder.</summary>
    /// <param name="folder">The folder that peft or <see cref="LoraModel.SavePretrained"/> wrote.</param>
    /// <returns>The options; those that the file lacks have peft's defaults.</returns>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file is faulty or asks for something that is not supported; the message names the keys.</exception>
    public static LoraConfig FromPretrained(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return PeftConfigReader.Read(Path.Combine(folder, PeftNames.ConfigFile), logger: null);
    }

    /// <summary>Checks the options.</summary>
    /// <returns>Every fault, each a sentence that names the option; empty if there is none.</returns>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(faults, R >= 1, Errors.RankTooSmall(nameof(R), R));
        Require(faults, double.IsFinite(LoraAlpha), Errors.NotFinite(nameof(LoraAlpha), LoraAlpha));
        Require(faults, LoraDropout is >= 0 and < 1, Errors.DropoutOutOfRange(LoraDropout));
        Require(faults, Enum.IsDefined(Bias), Errors.UndefinedValue(nameof(Bias), Bias));
        Require(faults, Enum.IsDefined(InitLoraWeights), Errors.UndefinedValue(nameof(InitLoraWeights), InitLoraWeights));
        Require(faults, TaskType is not { } task || Enum.IsDefined(task), Errors.UndefinedValue(nameof(TaskType), TaskType ?? default));
        ValidateModules(faults, nameof(TargetModules), TargetModules);
        ValidateModules(faults, nameof(ExcludeModules), ExcludeModules);
        Require(faults, !ReferenceEquals(ExcludeModules, LoraFhe.TargetModules.AllLinear), Errors.ExcludesAll());
        ValidatePatterns(faults);
        ValidateLayers(faults);
        Require(faults, !LoraBias || !UseDora, Errors.BiasWithDora());
        Require(faults, ModulesToSave?.Any(string.IsNullOrEmpty) != true, Errors.EmptyName(nameof(ModulesToSave)));
        return faults;
    }

    /// <summary>Throws if <see cref="Validate"/> finds anything.</summary>
    internal void EnsureValid(string parameter)
    {
        if (Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join(' ', faults), parameter);
        }
    }

    private static void ValidateModules(List<string> faults, string option, TargetModules? modules)
    {
        if (modules is null || ReferenceEquals(modules, LoraFhe.TargetModules.AllLinear))
        {
            return;
        }

        if (modules.RegularExpression is { } expression)
        {
            RequirePattern(faults, option, expression);
            return;
        }

        Require(faults, modules.Names.Count > 0, Errors.EmptyList(option));
        Require(faults, !modules.Names.Any(string.IsNullOrEmpty), Errors.EmptyName(option));
    }

    private void ValidatePatterns(List<string> faults)
    {
        foreach (var (key, rank) in RankPattern)
        {
            RequirePattern(faults, nameof(RankPattern), key);
            Require(faults, rank >= 1, Errors.RankTooSmall($"{nameof(RankPattern)}['{key}']", rank));
        }

        foreach (var (key, alpha) in AlphaPattern)
        {
            RequirePattern(faults, nameof(AlphaPattern), key);
            Require(faults, double.IsFinite(alpha), Errors.NotFinite($"{nameof(AlphaPattern)}['{key}']", alpha));
        }
    }

    private void ValidateLayers(List<string> faults)
    {
        Require(faults, LayersToTransform is null || TargetModules?.RegularExpression is null, Errors.LayersWithPattern());
        Require(faults, LayersPattern is null or [] || LayersToTransform is { Count: > 0 }, Errors.LayersPatternAlone());
        foreach (var index in LayersToTransform ?? [])
        {
            Require(faults, index >= 0, Errors.NegativeLayer(index));
        }

        foreach (var pattern in LayersPattern ?? [])
        {
            RequirePattern(faults, nameof(LayersPattern), pattern);
        }
    }

    private static void RequirePattern(List<string> faults, string option, string expression)
    {
        if (PeftPattern.Fault(expression) is { } fault)
        {
            faults.Add(Errors.BadPattern(option, expression, fault));
        }
    }

    private static void Require(List<string> faults, bool holds, string fault)
    {
        if (!holds)
        {
            faults.Add(fault);
        }
    }
}
