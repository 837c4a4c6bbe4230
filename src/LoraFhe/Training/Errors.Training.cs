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

    public const string NoLabels = "The batch has no tensor named 'labels'. Name it so, or give pairs of (data, labels).";

    public const string NoTargets = "The batch has no label that the loss compares with, so its share of the window's tokens is 0. Leave it out.";

    public const string NoLogitsForMetric = "The model returned no logits to evaluate. Return a Tensor, or a ModelOutput whose Logits are set.";

    public const string GraphIsCut =
        "The loss does not depend on anything that can be trained: its graph is cut. Look for detach(), no_grad() or item() between the adapters and the loss, and for adapters that are frozen.";

    public const string NoGradient = "The backward pass reached none of the trainable parameters: the loss does not depend on the adapters. Compute it from the model's output.";

    public const string NoMetrics = "evalMetricFn returned null; a dictionary of metrics was expected, which may be empty.";

    public const string NothingTrainable =
        "The model has LoRA layers, but no parameter that can be trained: all have requires_grad false. Load the adapter with isTrainable true, or unfreeze it with SetAdapter, before optimizer and trainer are made.";

    public static string ModelDisposed(Type model) =>
        $"The parameters of '{TypeName(model)}' were disposed of, with it or with the model in it. Dispose of a model after its trainer only.";

    public static string TrainedAlready(Type model, string layer) =>
        $"'{TypeName(model)}' is another trainer's already: '{layer}' is remote. Go on with that trainer, or save the adapter with SavePretrained and load it on the model as it was.";

    public static string NoSuchTensor(string name, IEnumerable<string> names) => $"The batch has no tensor named '{name}'; it has {(names.Any() ? Quoted(names) : "none")}.";

    public static string OptimizerOfOtherParameters(int count, string first) => string.Create(
        CultureInfo.InvariantCulture,
        $"The optimizer has none of the model's {count} trainable parameters, such as '{first}'. Make it from TrainableParameters() of the model that is trained, after any move to a device.");

    public static string OptimizerNeedsClosure(string optimizer) =>
        $"Optimizer '{optimizer}' computes the loss again by a closure, which training gives to none. Use one that steps without, such as AdamW or SGD.";

    public const string ScheduleOfOtherOptimizer =
        "lrScheduler sets the rates of another optimizer than the one given. Make it from the same optimizer.";

    public static string FolderUnusable(string option, string path, string reason) =>
        $"{option} '{path}' cannot be used: {FirstLine(reason)} Give a folder that can be written.";

    public static string LogFileUnusable(string path, string reason) =>
        $"Log file '{path}' cannot be written: {FirstLine(reason)} Give another trainLogPath, or a logger.";

    public const string LossIsNull = "lossFn returned null; a scalar that depends on the logits was expected.";

    public const string LossIsDisposed =
        "The loss was disposed of before it could be used. Return a tensor that no 'using' and no dispose scope of the loss function frees.";

    public static string LossIsNoScalar(string type, IReadOnlyList<long> shape) =>
        $"The loss is {type} {Shape(shape)}; one real number was expected. Take its mean, or give a lossFn that does.";

    public static string LossNotFinite(double value) => string.Create(
        CultureInfo.InvariantCulture,
        $"The loss is {value}, and no adapter was changed. Look for a batch without rows or without a label that counts, for values that are not finite, and for a learning rate that is too large.");

    public static string GradientNotFinite(string parameter) =>
        $"The gradient of '{parameter}' is not finite, and no adapter was changed. Look for values that overflow, and for a learning rate that is too large.";

    public static string AtStep(int step, string error) => string.Create(CultureInfo.InvariantCulture, $"Step {step}: {error}");

    public static string BatchRefused(string by, string batch, string reason) =>
        $"The batch ({batch}) cannot be computed by {by}: {FirstLine(reason)} Check shapes, types and class numbers.";

    public static string BackwardRefused(string reason) =>
        $"The loss cannot be differentiated: {FirstLine(reason)} Look at what lossFn and the model do with their tensors.";

    public static string TensorShape(string name, string type, IReadOnlyList<long> shape) => $"'{name}' {type} {Shape(shape)}";

    public static string TensorGone(string name) => $"'{name}' disposed of";

    public static string BatchEntryDisposed(string name) =>
        $"The batch's tensor '{name}' was disposed of. Keep it until the next batch is asked for, or make it anew for each epoch.";

    public static string BatchEntryElsewhere(string name, string found, string device, string reason) =>
        $"The batch's tensor '{name}' is on '{found}' and cannot be brought to '{device}': {FirstLine(reason)} Make it there.";

    public static string NullBatch(string parameter) => $"'{parameter}' yields null; a batch was expected each time. Leave it out.";

    public static string ForwardResultDisposed(string model) =>
        $"'{model}' returned a tensor that was disposed of. Move it out of the dispose scope, or leave away the 'using'.";

    // What libtorch says goes on with a stack, and may list every backend it was built for.
    private static string FirstLine(string text)
    {
        const int most = 200;
        var line = text.Split('\n', 2)[0].TrimEnd();
        return line.Length > most ? line[..most] + "…" : line.EndsWith('.') ? line : line + ".";
    }

    public static string EmptyLoader(string parameter) =>
        $"'{parameter}' has no batches; at least one was expected each time it is read. What can be read only once is empty the second time: give a list or a loader.";

    public static string BatchEntry(string name, bool isNull) => isNull
        ? $"The batch's tensor '{name}' is null. Leave it out, or give a tensor."
        : $"The batch has more than one tensor named '{name}'; names are compared without case and underscores. Rename one of them.";

    public static string TupleLength(int count) =>
        $"Tuple inputs must have two elements (data, labels), this one has {count}. Attention masks are not yet supported with tuples, use a dictionary input.";

    public static string AtLeastOne(string option, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be at least 1.");

    public static string PositiveAndFinite(string option, double value) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be positive and finite.");

    public static string NotCallable(string model) =>
        $"'{model}' has no method 'forward' that can be called. Derive it from one of TorchSharp's generic modules, or give a Func<Batch, ModelOutput>.";

    public static string SeveralForwards(string model) =>
        $"'{model}' has several methods 'forward' and derives from none of TorchSharp's generic modules, which would say which to call. Derive it from one, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentMissing(string model, string parameter, IEnumerable<string> batch) =>
        $"'{model}' needs '{parameter}' in forward; the batch has {Quoted(batch)}. Rename one of them, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentUnknown(string model, string tensor, IEnumerable<string> parameters) =>
        $"The batch's tensor '{tensor}' has no place in forward of '{model}', whose parameters are {Quoted(parameters)}. Leave it out, or give a Func<Batch, ModelOutput>.";

    public static string ForwardArgumentType(string model, string parameter, string type) =>
        $"Parameter '{parameter}' of forward of '{model}' is a {type}; only tensors and parameters with a default can be matched to a batch. Give a Func<Batch, ModelOutput>.";

    public static string ForwardResult(string model, string? type) =>
        $"'{model}' returned {(type is null ? "nothing" : $"a {type}")}; a Tensor, a ModelOutput, a tuple of tensors or a dictionary with 'loss' or 'logits' was expected. Give a Func<Batch, ModelOutput>.";

    public static string LoaderTooShort(int expected, int found) =>
        $"The checkpoint was written after batch {expected} of an epoch, but 'trainLoader' has {found} batches. Give the data it was trained on.";

    public static string DeviceUnavailable(string device) =>
        $"Device '{device}' is not available to this libtorch. Use 'cpu', or add the TorchSharp package of that device to the program.";

    public static string DeviceUnknown(string device) =>
        $"Training cannot run on device '{device}'. Use 'cpu', 'cuda' or 'mps'.";

    public static string DeviceNumber(string device, int count) =>
        $"Device '{device}' does not exist: this libtorch sees {count} of its kind, counted from 0.";

    public static string AdaptersElsewhere(string found, string asked) =>
        $"Train was asked to run on '{asked}', but the adapters are on '{found}'. Move the model before the optimizer is made: an optimizer keeps the parameters it was given.";

    public static string OptimizerNotSavable(string optimizer) =>
        $"Optimizer '{optimizer}' cannot save its state, so no checkpoint can be resumed exactly. Use one of TorchSharp's managed optimizers, such as AdamW or SGD, or give no checkpointDir.";

    public static string ScheduleAhead(string path, int stored, int made) =>
        $"{path}: the checkpoint's schedule made {stored} steps, this trainer's has made {made} and cannot go back. Load the checkpoint into a new trainer.";

    public static string NoSchedule(string path) =>
        $"{path}: the checkpoint was written with a learning rate schedule; this trainer has none. Give the same lrScheduler.";

    public const string NoCheckpointDirectory = "Checkpoint directory is not set. Give LoraTrainer a checkpointDir.";

    public const string WindowIsOpen =
        "A checkpoint holds no half-summed gradient: it can be saved between updates only, and the accumulation window is open. Save when a window has closed, or let Train save at the end of an epoch.";

    public const string TrainingIsUnderWay = "Train is running already, or Compile, and LoraTrainer is not thread-safe. Wait until it returns, or make a trainer for the other model.";

    public static string CheckpointNotWritten(string path, string reason) =>
        $"Checkpoint '{path}' cannot be written: {FirstLine(reason)} What was saved before is unchanged. Make room, or give another checkpointDir.";

    public static string CheckpointNotFinite(string name) =>
        $"No checkpoint was written: '{name}' has a value that is not finite. The last checkpoint is unchanged. Load it into a new trainer with a smaller learning rate.";

    public static string CheckpointNotFound(string path) => $"Checkpoint not found: {path}";

    public static string CheckpointDamaged(string path) =>
        $"Checkpoint '{path}' is damaged or cut off. Nothing was loaded. Delete it to go on from the one before.";

    public static string CheckpointForeign(string path) =>
        $"'{path}' is no checkpoint of LoraTrainer. Nothing was loaded. Take it out of the checkpoint folder.";

    public static string CheckpointNewer(string path, int found, int known) =>
        $"Checkpoint '{path}' has version {found}; this LoraFhe reads up to {known}. Nothing was loaded. Update LoraFhe.";

    public static string CheckpointGenerator(string path) =>
        $"Checkpoint '{path}' has a generator's state of another length than this libtorch's. Nothing was loaded. Use the libtorch it was written with.";

    public static string CheckpointLacks(string path, string name) =>
        $"Checkpoint '{path}' has no '{name}', which this model trains. Nothing was loaded. Give the model and LoraConfig it was written with, or another checkpointDir.";

    public static string CheckpointHasMore(string path, string name) =>
        $"Checkpoint '{path}' has '{name}', which this model does not train. Nothing was loaded. Give the model and LoraConfig it was written with, or another checkpointDir.";

    public static string CheckpointShape(string path, string name, IReadOnlyList<long> found, IReadOnlyList<long> expected) =>
        $"Checkpoint '{path}': '{name}' is [{string.Join(", ", found)}]; the model needs [{string.Join(", ", expected)}], or another type. Nothing was loaded.";

    public static string CheckpointOptimizer(string path, string optimizer) =>
        $"Checkpoint '{path}' does not fit this {optimizer}: its optimizer was another kind, or had other parameters. Nothing was loaded. Make the optimizer as it was then, or give another checkpointDir.";

    public const string CheckpointWithoutAdapter =
        "No checkpoint was written: nothing of the adapter asks for a gradient now, so that the file would not hold it. "
        + "Call EnableAdapters, or SetAdapter with the adapter that the trainer was made for.";

    public static string TrainableSince(string name) =>
        $"'{name}' asks for a gradient and did not when the trainer was made: its optimizer does not know it. "
        + "Set the adapter that the trainer was made for, or make an optimizer and a trainer for this one.";
}
