using System.Globalization;

namespace LoraFhe;

internal static partial class Errors
{
    private const int NamesShown = 12;

    public static string RankTooSmall(string option, int rank) => $"{option} is {rank}; a rank is at least 1.";

    public static string NotFinite(string option, double value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be finite.");

    public static string DropoutOutOfRange(double value) =>
        string.Create(CultureInfo.InvariantCulture, $"LoraDropout is {value}; it must be at least 0 and less than 1.");

    public static string EmptyList(string option) => $"{option} is an empty list; name at least one module, or leave it null.";

    public static string EmptyName(string option) => $"{option} holds an empty name. Leave it out, or give a module's name or the end of one.";

    public static string ExcludesAll() => "ExcludeModules is all-linear, which would leave nothing to adapt.";

    public static string BadPattern(string option, string pattern, string reason) =>
        $"{option}: '{pattern}' is not a regular expression that can be used: {reason}";

    public static string PatternTooSlow(string option, string pattern, string name) =>
        $"{option}: matching '{pattern}' against '{name}' takes too long. Write it without nested repetitions.";

    public static string LayersWithPattern() =>
        "LayersToTransform is set and TargetModules is a regular expression. Put the layers into the expression, or give TargetModules as a list.";

    public static string LayersPatternAlone() => "LayersPattern is set without LayersToTransform; set both or neither.";

    public static string NegativeLayer(int index) => $"LayersToTransform holds {index}; layers count from 0.";

    public static string NotSupported(string option) => $"{option} is set, which is not supported. Leave it out.";

    public static string InitializationNotSupported(string option, string value, IEnumerable<string> names) =>
        $"{option} is '{value}', which is not supported; true, false and {Quoted(names)} are.";

    public static string OddRank(string layer, int rank) =>
        $"Layer '{layer}': InitLoraWeights Orthogonal needs an even rank; it is {rank}.";

    public static string RankAboveWeight(string layer, string scheme, int rank, long most) =>
        $"Layer '{layer}': InitLoraWeights {scheme} takes the rank from the weight, which has {most}; {rank} is asked for. Set a smaller one in R or RankPattern.";

    public static string ScalingNotPositive(string layer, double alpha) =>
        string.Create(CultureInfo.InvariantCulture, $"Layer '{layer}': InitLoraWeights Pissa needs a positive LoraAlpha; it is {alpha}.");

    public static string OloraTransposed(string layer) =>
        $"Layer '{layer}' stores its weight [in, out], to which peft cannot apply OLoRA. Set InitLoraWeights to Pissa or another.";

    public static string AlreadyAdapted(Type model, string layer) =>
        $"'{TypeName(model)}' has a LoRA adapter already, at '{layer}'. Apply one to a model without.";

    public static string NestedModulesToSave(string outer, string inner) =>
        $"ModulesToSave means '{outer}' and '{inner}' within it. Name one of them.";

    public static string AdaptedAndSaved(string name) =>
        $"'{name}' would have an adapter beside it and be trained whole by another. Leave it out of TargetModules or of ModulesToSave.";

    public static string ModuleNotCopyable(string name, Type type) =>
        $"ModulesToSave means '{name}', a '{TypeName(type)}', of which no copy can be made to train. Let it be a Module<Tensor, Tensor> that implements ICopyableModule, or leave it out.";

    public static string EmbeddingBias(string name) =>
        $"LoraBias is set and '{name}' is an embedding, whose adapter can have no bias. Leave one of them out.";

    public static string BiasWithDora() => "LoraBias and UseDora are both set, which peft does not have. Leave one of them out.";

    public static string NoWeightForDora(Type type) =>
        $"An adapter with DoRA stands beside a '{TypeName(type)}', which shows no weight whose norms could be taken. Leave the Linear, Conv1D or Embedding there.";

    public static string NoDirection(string name) =>
        $"UseDora is set and an output of '{name}' has no weight but zeros, which no norm can be given. Leave the layer out.";

    public static string EmbeddingNotRegistered(string name) =>
        $"'{name}' answers from another weight than the one it has registered, as Embedding_from_pretrained makes it. Make it by nn.Embedding and copy the values into its parameter.";

    public static string TiedWeightChanged(string name, string other, string scheme) =>
        $"InitLoraWeights {scheme} would change the weight of '{name}', which '{other}' shares. Leave the layer out, or set another start.";

    public static string ChangesBaseAlone(string adapter) =>
        $"Adapter '{adapter}' has taken its first values out of the model's weights, so it cannot stand beside another. Save it as plain LoRA (convertToLora) and load that.";

    public static string NothingToConvert(string adapter) =>
        $"Adapter '{adapter}' is plain LoRA: there is nothing to convert. Save it without convertToLora.";

    public static string ChangesBase(string scheme) =>
        $"InitLoraWeights {scheme} takes the first values out of the model's weights, which needs a model without other adapters. Set another start.";

    public static string OtherStart(InitLoraWeights found, InitLoraWeights expected) =>
        $"'init_lora_weights' is {found}, the model's adapter started as {expected}: the values belong to other weights of the model. Load the adapter with FromPretrained.";

    public static string NoDefaultTargets(Type model, IEnumerable<string> linearLayers) =>
        $"'{TypeName(model)}' has no default target modules. Name some in TargetModules; it has {SomeOf(linearLayers)}.";

    public static string NoTargetMatches(Type model, TargetModules targets, IEnumerable<string> linearLayers) =>
        $"No linear layer of '{TypeName(model)}' matches target modules {targets}; it has {SomeOf(linearLayers)}.";

    public static string TargetNotLinear(TargetModules targets, string name, Type type) =>
        $"Target modules {targets} match '{name}', a '{TypeName(type)}'; adapters go beside Linear, Conv1D and Embedding only.";

    public static string LoraInputShape(string layer, IReadOnlyList<long> shape, long inFeatures) =>
        $"Layer '{layer}' takes [..., {inFeatures}]; the input is {Shape(shape)}.";

    public static string InFile(string file, string fault) => $"{file}: {fault}";

    public static string AdapterFileMissing(string file, string? folder) =>
        $"Folder '{Path.GetFileName(folder)}' has no '{file}'. Looked in '{Path.GetFullPath(folder ?? ".")}'. It must hold what peft's save_pretrained writes: {PeftNames.ConfigFile} and {PeftNames.WeightsFile}.";

    public static string NotJson(long line, long position) =>
        string.Create(CultureInfo.InvariantCulture, $"not valid JSON at line {line}, byte {position}. Copy it again from where it came.");

    public static string NotAnObject() => "its JSON is not an object.";

    public static string KeyMissing(string key) => $"'{key}' is missing.";

    public static string PeftType(string type) => $"'peft_type' is '{type}'; only 'LORA' is supported.";

    public static string WrongJsonType(string key, string found, string expected) => $"'{key}' is a JSON {found}; {expected} was expected.";

    public static string UnknownChoice(string key, string value, IEnumerable<string> choices) =>
        $"'{key}' is '{value}'; it must be one of {Quoted(choices)}.";

    public static string UnknownTensor(string file, string key) =>
        $"{file}: '{key}' belongs to no adapted layer of the model. The adapter is for another model or other target modules.";

    public static string MissingTensors(string file, ICollection<string> keys) => keys.Count == 1
        ? $"{file}: '{keys.First()}' is missing."
        : $"{file}: '{keys.First()}' and {keys.Count - 1} more tensors are missing.";

    public static string TensorShape(string file, string key, IReadOnlyList<long> found, IReadOnlyList<long> expected) =>
        $"{file}: '{key}' is {Shape(found)}; the layer needs {Shape(expected)}.";

    public static string TensorType(string file, string key, string type) => $"{file}: '{key}' is {type}; a floating-point type was expected.";

    public static string TensorNotFinite(string file, string key) =>
        $"{file}: '{key}' has a value that is not finite. The training that made it diverged, or the file is damaged.";

    public static string AdapterName(string name) =>
        $"'{name}' cannot be an adapter's name: a module and a folder are called by it. Use letters, digits, '-' and '_', and no name that peft gives a module.";

    public static string AdapterExists(string name) =>
        $"The model has an adapter '{name}' already. Delete it first, or give another name.";

    public static string NoSuchAdapter(string name, IEnumerable<string> adapters) => $"The model has no adapter '{name}'; it has {Quoted(adapters)}.";

    public static string LastAdapter(string name) => $"'{name}' is the model's last adapter. Unload gives the bare model back, DisableAdapters its answers.";

    public static string AdapterMerged(string name, string operation) => $"Adapter '{name}' is merged. Call UnmergeAdapter before {operation}.";

    public static string AdaptersDisabled(string operation) => $"The model's adapters are disabled. Call EnableAdapters before {operation}.";

    public static string SecondBias(string adapter) =>
        $"Adapter '{adapter}' trains biases already, and the model has each only once. Set Bias to None.";

    public static string OtherTask(TaskType task, string adapter, TaskType found) =>
        $"TaskType is {task}; the model's adapter '{adapter}' is for {found}. Put it on a model of its own.";

    public static string OtherScaling(string layer, double found, double expected) => string.Create(
        CultureInfo.InvariantCulture,
        $"the adapter of '{layer}' is scaled by {found:R}; the model's by {expected:R}. Load it under a name of its own.");

    public static string OtherMagnitudes(bool found) => found
        ? "'use_dora' is true; the model's adapter has no magnitudes. Load it under a name of its own."
        : "'use_dora' is false; the model's adapter has magnitudes. Load it under a name of its own.";

    public static string MergeNotFinite(string layer, string adapter) =>
        $"Layer '{layer}': with adapter '{adapter}' merged, a weight would not be finite. Nothing was merged.";

    public static string NothingToMergeInto(string layer, string parameter) =>
        $"Layer '{layer}' has no '{parameter}' that the adapter could be merged into. Nothing was merged.";

    public static string UnderHybridTraining(string layer, Type type, string operation) =>
        $"Layer '{layer}' is a '{TypeName(type)}' of hybrid training: {operation} would change what it was made for. "
        + "Save the adapter with SavePretrained, load it on the model as it was and do it there.";

    public static string Unloaded() => "The model was unloaded; use the module that Unload or MergeAndUnload returned.";

    // A large model repeats its layers: the last segments tell as much in one line.
    private static string SomeOf(IEnumerable<string> names)
    {
        var all = names.ToList();
        var shown = all.Count <= NamesShown ? all : all.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal).ToList();
        return all.Count == 0 ? "no linear layer" : Quoted(shown.Take(NamesShown)) + (shown.Count > NamesShown ? ", …" : "");
    }
}
