namespace LoraFhe.Cryptography.Client;

/// <summary>Every text this assembly throws: which layer or file, what was found, what was expected, the cure. Takes sizes, names and bindings, never data.</summary>
internal static class Errors
{
    public static ArgumentException NoRange(LayerId layer, int bits, int inputs, string parameter) =>
        new($"{Describe(layer)}: {bits}-bit weights over {inputs} inputs leave no range for the activations. Use fewer weight bits, or split the layer.", parameter);

    public static ArgumentException WeightNorm(LayerId layer, int bits, int inputs, string parameter) =>
        new($"{Describe(layer)}: the largest weight norm is not one that {bits}-bit weights over {inputs} inputs can have. The layer is refused.", parameter);

    public static ArgumentOutOfRangeException FixedNorm(LayerId layer, string parameter) =>
        new(parameter, $"{Describe(layer)}: a calibrated norm must be finite and above zero.");

    public static ArgumentException NotFinite(LayerId layer, string parameter) =>
        new($"{Describe(layer)}: the {Rows(layer)} has a value that is not finite. Nothing was sent.", parameter);

    public static ArgumentOutOfRangeException Tokens(LayerId layer, int found, string parameter) =>
        new(parameter, found, $"{Describe(layer)}: at least one token is needed.");

    public static ArgumentOutOfRangeException TooManyTokens(LayerId layer, int found, string parameter) =>
        new(parameter, found, $"{Describe(layer)}: the secrets of so many tokens do not fit one call. Send fewer tokens at a time.");

    public static ArgumentException RowsLength(LayerId layer, long found, int tokens, int features, string parameter) =>
        new($"{Describe(layer)}: {found} values were given; {tokens} tokens of {features} features need {(long)tokens * features}.", parameter);

    public static ArgumentException ShortSpan(long found, long expected, string parameter) =>
        new($"The span holds {found} elements; {expected} are needed.", parameter);

    public static ArgumentOutOfRangeException Threads(int found, string parameter) =>
        new(parameter, found, "The number of threads is 0 (all) or more.");

    public static ArgumentException MatrixRows(LayerId layer, int found, int expected, string parameter) =>
        new($"{Describe(layer)}: the public matrix has {found} rows; the layer needs {expected}.", parameter);

    public static ArgumentException HintBinding(LayerId layer, Binding found, Binding expected, string parameter) =>
        new($"{Describe(layer)}: the hint was made for another layer, seed or quantization (binding {found.Prefix}, expected {expected.Prefix}).", parameter);

    public static InvalidOperationException SecretSpent(LayerId layer) =>
        new($"{Describe(layer)}: this call's one-time secret was used already and is erased. Encrypt again for a new one.");

    public static ArgumentException ForeignMask(LayerId layer, string parameter) =>
        new($"{Describe(layer)}: the mask was made by another client. Give it one of its own.", parameter);

    public static InvalidOperationException MaskSpent(LayerId layer) =>
        new($"{Describe(layer)}: this mask was spent already. Make another, or encrypt without one.");

    public static InvalidOperationException MaskErased(LayerId layer) =>
        new($"{Describe(layer)}: this mask was disposed, is too old, or was made before the process was copied or the clock changed; it is erased. Make another, or encrypt without one.");

    public static InvalidDataException CheckFailed(LayerId layer) =>
        new($"{Describe(layer)}: the response failed its check: it is not the product of these weights and this request. The session is failed; nothing is retried.");

    public static InvalidDataException HintForeign(string file) =>
        new($"Hint file '{file}' is not a hint file: it does not begin with '{HintFileHeader.MagicText}'. Move it away to have a hint made.");

    public static InvalidDataException HintVersion(string file, int found, int expected) =>
        new($"Hint file '{file}' has format version {found}; this program reads version {expected}. Delete it to have it made again.");

    public static InvalidDataException HintTruncated(string file, long found, long expected) =>
        new($"Hint file '{file}' has {found} bytes; {expected} were expected. Delete it to have it made again.");

    public static InvalidDataException HintDamagedHeader(string file) =>
        new($"Hint file '{file}' is damaged in its header. Delete it to have it made again.");

    public static InvalidDataException HintDamaged(string file, int chunk, int chunks) =>
        new($"Hint file '{file}' is damaged in part {chunk + 1} of {chunks}. Delete it to have it made again.");

    public static InvalidDataException HintOther(string file, string layer, Binding found, Binding expected) =>
        new($"Hint file '{file}' was made for other weights of '{layer}' (binding {found.Prefix}, expected {expected.Prefix}). Delete it to have it made again.");

    public static InvalidDataException HintShape(string file, int found, int expected) =>
        new($"Hint file '{file}' holds {found} outputs; the layer has {expected}. Delete it to have it made again.");

    public static InvalidOperationException NoKernelRandomness() =>
        new("The system's random device gave no bytes. Nothing can be encrypted safely.");

    public static PlatformNotSupportedException NoCipher() =>
        new("This processor has no AES instructions and the system's library no ChaCha20-Poly1305. Nothing can be encrypted in constant time.");

    public static InvalidOperationException NoKernel(string tried) =>
        new($"No vector kernel of the client passed its check against the plain one on this machine. Tried: {tried}. Nothing can be computed safely; use another machine.");

    private static string Rows(LayerId layer) => layer.Direction == LayerDirection.Forward ? "activation" : "gradient";

    private static string Describe(LayerId layer) =>
        layer.Direction == LayerDirection.Forward ? $"Layer '{layer.Name}', forward" : $"Layer '{layer.Name}', backward";
}
