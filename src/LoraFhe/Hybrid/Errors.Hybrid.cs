using LoraFhe.Cryptography;

namespace LoraFhe;

internal static partial class Errors
{
    public static string UnknownMode(string name) =>
        $"'{name}' is not a valid HybridFheMode; it is one of 'disable', 'simulate', 'execute', 'torch'.";

    public static string LinearWeightShape(IReadOnlyList<long> shape) =>
        $"A linear layer's weight has two dimensions; this one is {Shape(shape)}.";

    public static string LinearBiasShape(IReadOnlyList<long> shape, long outFeatures) =>
        $"A layer with {outFeatures} outputs has a bias of [{outFeatures}]; this one is {Shape(shape)}.";

    public static string LinearInputShape(IReadOnlyList<long> shape, long features) =>
        $"The product takes [..., {features}]; the tensor is {Shape(shape)}.";

    public static string NotFinite(string layer, LayerDirection direction, bool couldBeSent) =>
        $"{Layer(layer, direction)}: the {(direction == LayerDirection.Forward ? "input" : "gradient")} has a value that is not finite.{(couldBeSent ? " Nothing was sent." : "")}";

    public static string ProductNotFinite(string backend, string layer, LayerDirection direction) =>
        $"{Layer(layer, direction)}: backend '{backend}' gave a value that is not finite, or not all values. Its Multiply must fill all of destination; if it does, the product overflowed: make the inputs smaller.";

    public static string ProductInputShape(string layer, LayerDirection direction, IReadOnlyList<long> shape, long features) =>
        $"{Layer(layer, direction)}: the product takes [..., {features}]; the tensor is {Shape(shape)}.";

    public static string ProductInputType(string layer, LayerDirection direction, string type) =>
        $"{Layer(layer, direction)}: the product takes floating-point rows; the tensor is {type}. Convert it to the model's type.";

    public static string EmbeddingIdType(string layer, string type, long rows) =>
        $"Layer '{layer}': an embedding takes ids, integers from 0 to {rows - 1}; the tensor is {type}.";

    public static string EmbeddingIdRange(string layer, long rows) =>
        $"Layer '{layer}': an id has no row in the embedding; ids from 0 to {rows - 1} have. Nothing was sent.";

    public static string EmbeddingMaxNorm(string name) =>
        $"Layer '{name}' is an embedding with max_norm, which changes its rows when they are looked up. Make it without, or leave embedding layers out.";

    public static string LayerCleared(string layer) =>
        $"Layer '{layer}' was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its float weight is not here. Compile with the frozen layers and use another mode than torch, or load the model again.";

    public static string NotCompiled(string layer, string mode) =>
        $"Layer '{layer}': mode '{mode}' needs CompileModel first.";

    public static string ModelNotCompiled(string what) => $"'{what}' needs a compiled model. Call Compile first, or CompileModel without a trainer.";

    public static string ModelCleared() =>
        "The model was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its frozen weights are not here. Compile with the frozen layers that FrozenLayerFile.Read returns, or load the model again.";

    public static string NotLinear(string layer, Type type) =>
        $"Layer '{layer}' is a '{TypeName(type)}'; only linear layers and embeddings can be computed under encryption. Leave it out of the remote names.";

    public static string NoSuchModule(string name, Type model, IEnumerable<string> known) =>
        $"No module found for name '{name}' in '{TypeName(model)}'; it has {QuotedSome(known)}.";

    public static string UnknownMode(HybridFheMode mode) =>
        $"{nameof(HybridFheMode)} has no member {(int)mode}; it is one of {Quoted(Enum.GetNames<HybridFheMode>())}.";

    public static string AlreadyRemote(string name) => $"Module '{name}' is remote already. Give all names to one HybridFheModel.";

    public static string NotTensorModule(string name, Type type) =>
        $"Module '{name}' is a '{TypeName(type)}'; only a module from one tensor to one tensor can be remote. Leave it out of the names.";

    public static string NotCallableWith(Type model, Type input, Type result) =>
        $"'{TypeName(model)}' is not a module from '{TypeName(input)}' to '{TypeName(result)}'. Give CompileModel or Run a function that calls it.";

    public static string BitsOption(int bits) =>
        $"Bits is {bits}; 8 to 12 was expected, or null for the best of each layer.";

    public static string EmptyModelId() => "ModelId is empty; a name was expected, or null for the type's.";

    public static string WeightNotFinite(string layer) => $"Layer '{layer}': the weight has a value that is not finite, so it has no scale. Load the model again from a sound file.";

    public static string NoRange(string layer) =>
        $"Layer '{layer}' is too wide: at no number of bits is there room for its inputs. Split it.";

    public static string NotPrepared(string layer, LayerDirection direction) =>
        $"{Layer(layer, direction)}: the backend was not prepared for this layer. Call CompileModel first.";

    public static string CallFailed(string layer, LayerDirection direction, string reason) => $"{Layer(layer, direction)}: {reason}";

    public static string SessionFailed(string layer, LayerDirection direction) =>
        $"{Layer(layer, direction)}: an earlier call failed its check, which ended the session. Nothing was sent. Call CompileModel to start another.";

    public static string EmptyHintFolder() => "HintFolder is empty; a path was expected, or null to keep hints in memory.";

    public static string NegativeThreads(int threads) => $"MaxThreads is {threads}; 0 for all threads or a positive number was expected.";

    public static string MaskBudget(long bytes) => $"MasksAhead.MemoryBudget is {bytes} bytes; a positive number was expected.";

    public static string MaskAge(TimeSpan age, TimeSpan most) => $"MasksAhead.MaxAge is {age}; more than 0 and at most {most} was expected.";

    public static string NoSeed(string path, int length) =>
        $"'{path}' has {length} bytes; a seed has 32. Delete it and the hints beside it to have them made again.";

    private static string Layer(string layer, LayerDirection direction) =>
        $"Layer '{layer}', {(direction == LayerDirection.Forward ? "forward" : "backward")}";

    private static string QuotedSome(IEnumerable<string> names)
    {
        const int most = 12;
        var all = names.ToList();
        return all.Count <= most ? Quoted(all) : $"{Quoted(all.Take(most))} and {all.Count - most} more";
    }
}
