namespace LoraFhe.Cryptography;

/// <summary>Every text this assembly throws: which layer or message, what was found, what was expected. Takes sizes and names, never
/// data.</summary>
internal static class Errors
{
    public static PlatformNotSupportedException BigEndian() =>
        new("LoraFhe's messages, hints and hashes are little-endian and read in place; this processor is big-endian. "
            + "Use a little-endian machine.");

    public static ArgumentException SeedSize(int found, string parameter) =>
        new($"A seed of the public matrix is {PublicMatrixSeed.Size} bytes; {found} were given.", parameter);

    public static ArgumentException BindingSize(int found, string parameter) =>
        new($"A binding is {Binding.Size} bytes; {found} were given.", parameter);

    public static ArgumentException CallIdSize(int found, string parameter) =>
        new($"A call's id is {CallId.Size} bytes; {found} were given.", parameter);

    public static ArgumentException KeySize(int found, string parameter) =>
        new($"A key of a counter stream is {AesCounterStream.KeySize} bytes; {found} were given.", parameter);

    public static ArgumentException WholeBlocks(int found, string parameter) =>
        new($"A counter stream gives whole blocks of {AesCounterStream.BlockSize} bytes; {found} bytes were asked for.", parameter);

    public static ArgumentException DestinationSize(long found, long expected, string parameter) =>
        new($"The destination holds {found} elements; {expected} are needed.", parameter);

    public static ArgumentOutOfRangeException Rows(int found, string parameter) =>
        new(parameter, found, "The public matrix needs at least one row.");

    public static ArgumentOutOfRangeException Bits(string layer, int found, string parameter) =>
        new(
            parameter, found, $"Layer '{layer}': weights have {EncryptedLinearParameters.MinBits} to {EncryptedLinearParameters.MaxBits} bits.");

    public static ArgumentOutOfRangeException LayerSize(string layer, int outFeatures, int inFeatures, string parameter) =>
        new(
            parameter,
            $"Layer '{layer}': a weight of [{outFeatures}, {inFeatures}] is not possible; both sizes are at least 1, their product below 2^31.");

    public static ArgumentException CodesLength(string layer, int found, int outFeatures, int inFeatures, string parameter) =>
        new($"Layer '{layer}': {found} codes were given for a weight of [{outFeatures}, {inFeatures}].", parameter);

    public static ArgumentException ScalesLength(string layer, int found, int outFeatures, string parameter) =>
        new($"Layer '{layer}': {found} channel scales were given for {outFeatures} output channels.", parameter);

    public static ArgumentException CodeRange(string layer, int bits, int largest, string parameter) =>
        new($"Layer '{layer}': a code lies outside the {bits}-bit range of -{largest} to {largest}.", parameter);

    public static ArgumentException ScaleRange(string layer, string parameter) =>
        new($"Layer '{layer}': every channel scale must be finite and above zero.", parameter);

    public static ArgumentException TransformDegree(int found, string parameter) =>
        new($"A negacyclic transform's degree is a power of two from 2 to {NegacyclicTransform.MaxDegree}; {found} was given.", parameter);

    public static ArgumentException TransformLength(int found, int degree, string parameter) =>
        new($"A transform of degree {degree} needs {degree} values; {found} were given.", parameter);

    public static ArgumentOutOfRangeException Features(int found, string parameter) =>
        new(parameter, found, "A message carries at least one feature.");

    public static ArgumentOutOfRangeException Tokens(int found, string parameter) =>
        new(parameter, found, "A message carries at least one token.");

    public static ArgumentException MessageTooLong(int features, int tokens, string parameter) =>
        new($"{tokens} tokens of {features} features do not fit one message of 2 GiB. Send fewer tokens at a time.", parameter);

    public static ArgumentOutOfRangeException Threads(int found, string parameter) =>
        new(parameter, found, "The number of threads is 0 (all) or more.");

    public static ArgumentException PublicMatrixRows(LayerId layer, int found, int expected, string parameter) =>
        new($"{Describe(layer)}: the public matrix has {found} rows; the layer needs {expected}.", parameter);

    public static ArgumentException ResponseLength(LayerId layer, int found, long expected, string parameter) =>
        new($"{Describe(layer)}: the response buffer has {found} bytes; the response needs {expected}.", parameter);

    public static ArgumentException ResponseOverlaps(LayerId layer, string parameter) =>
        new($"{Describe(layer)}: the response buffer overlaps the request.", parameter);

    public static InvalidDataException MessageTruncated(string message, int found) =>
        new($"The {message} has {found} bytes; its header alone needs {MessageHeader.Size}.");

    public static InvalidDataException MessageMagic(string message, string expected) =>
        new($"The {message} does not begin with '{expected}': these bytes are something else.");

    public static InvalidDataException MessageVersion(string message, int found, int expected) =>
        new($"The {message} is of version {found}; this program speaks version {expected}.");

    public static InvalidDataException MessageReserved(string message) =>
        new($"The {message} has a reserved byte that is not zero.");

    public static InvalidDataException MessageDroppedBits(string message, int found) =>
        new($"The {message} asks for {found} dropped response bits; only 0 is supported.");

    public static InvalidDataException MessageSize(string message, int features, int tokens) =>
        new($"The {message} announces {tokens} tokens of {features} features; both must be at least 1 and fit 2 GiB.");

    public static InvalidDataException MessageLength(string message, int features, int tokens, long expected, int found) =>
        new($"The {message} announces {tokens} tokens of {features} features, {expected} bytes; it has {found}.");

    public static InvalidDataException MessageBinding(string message, Binding found, Binding expected) =>
        new($"The {message} was made for another layer, model, seed or quantization (binding {found.Prefix}, expected {expected.Prefix}).");

    public static InvalidDataException MessageFeatures(string message, int found, int expected) =>
        new($"The {message} has {found} features a token; the layer expects {expected}.");

    public static InvalidDataException MessageTokens(string message, int found, int expected) =>
        new($"The {message} has {found} tokens; {expected} were expected.");

    public static InvalidDataException MessageId(string message) =>
        new($"The {message} answers another call: its id is not the one that was sent.");

    public static InvalidDataException MessageWordRange(string message) =>
        new($"The {message} has a word outside -{EncryptedLinearParameters.HalfModulus} to {EncryptedLinearParameters.HalfModulus}.");

    public static InvalidOperationException NoKernel(string tried) =>
        new($"No kernel of the integer product passed its check against a naive product on this machine. Tried: {tried}. "
            + "Nothing can be computed safely; use another machine.");

    private static string Describe(LayerId layer) =>
        layer.Direction == LayerDirection.Forward ? $"Layer '{layer.Name}', forward" : $"Layer '{layer.Name}', backward";
}
