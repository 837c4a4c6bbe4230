using System.Globalization;

namespace LoraFhe;

internal static partial class Errors
{
    public const string NoLoraLayers = "The model does not contain any detectable LoRA layers.";

    public const string NoLossFunctionAndNoLabels =
        "When no lossFn is provided, the model's forward method must accept a 'labels' parameter.";

    public const string NoLossReturned =
        "The model did not return a loss. Ensure that 'labels' are in the training batch, or provide a lossFn.";

    public const string NoLogitsReturned =
        "When a lossFn is given to LoraTrainer, the model must return either a Tensor or a ModelOutput whose Logits are set.";

    public const string InvalidAttentionMask = "Invalid attention mask provided. Attention mask should only contain 0s and 1s.";

    public static string BatchEntry(string name, bool isNull) => isNull
        ? $"The batch's tensor '{name}' is null."
        : $"The batch has more than one tensor named '{name}'; names are compared without case and underscores.";

    public static string TupleLength(int count) =>
        $"Tuple inputs must have two elements (data, labels), this one has {count}. Attention masks are not yet supported with tuples, use a dictionary input.";

    public static string AtLeastOne(string option, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be at least 1.");

    public static string PositiveAndFinite(string option, double value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be positive and finite.");

    public static string NotDefined(string option, int value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} has no value {value}.");

    public static string NotCallable(string model) =>
        $"'{model}' has no method 'forward' that can be called. Derive it from one of TorchSharp's generic modules, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentMissing(string model, string parameter, IEnumerable<string> batch) =>
        $"'{model}' needs '{parameter}' in forward; the batch has {Quoted(batch)}. Rename one of them, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentUnknown(string model, string tensor, IEnumerable<string> parameters) =>
        $"The batch's tensor '{tensor}' has no place in forward of '{model}', whose parameters are {Quoted(parameters)}. Leave it out, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentType(string model, string parameter, string type) =>
        $"Parameter '{parameter}' of forward of '{model}' is a {type}; only tensors and parameters with a default can be matched to a batch. Give a Func<Batch, ModelOutput>.";

    public static string ForwardResult(string model, string? type) =>
        $"'{model}' returned {(type is null ? "nothing" : $"a {type}")}; a Tensor, a ModelOutput, a tuple of tensors or a dictionary with 'loss' or 'logits' was expected. Give a Func<Batch, ModelOutput>.";
}
