namespace LoraFhe;

internal static partial class Errors
{
    public static string DeploymentNotWritten(string path, string reason) => $"'{path}' cannot be written: {reason} Nothing was cleared.";

    public static string DeploymentFileMissing(string file, string folder) =>
        $"'{folder}' has no '{file}'. Give one of the two folders that SaveAndClearPrivateInfo wrote: 'client' to LoadPrivateInfo, 'server' to FrozenLayerFile.Read.";

    public static string NotFrozenLayers(string file) => $"{file} holds no frozen layers that SaveAndClearPrivateInfo wrote.";

    public static string FrozenLayersNewer(string file, int found, int known) =>
        $"{file} has version {found}; this LoraFhe reads up to {known}. Update LoraFhe.";

    public static string UnknownFrozenTensor(string file, string tensor) =>
        $"{file}: '{tensor}' is no part of a frozen layer, which has codes and scales. Write the folder again with SaveAndClearPrivateInfo.";

    public static string UnknownFrozenKey(string file, string key) =>
        $"{file}: the header's '{key}' belongs to no layer of the file. Write the folder again with SaveAndClearPrivateInfo.";

    public static string FrozenTensorForm(string file, string tensor, string expected) => $"{file}: '{tensor}' must be {expected}.";

    public static string NotAClientFile(string file) => $"{file} is no client's half that SaveAndClearPrivateInfo wrote. Nothing was loaded.";

    public static string ClientLacks(string file, string tensor) =>
        $"{file} has no '{tensor}', which this model keeps at the client. Nothing was loaded. Build the model as it was when the file was written, with the same adapters and remote names.";

    public static string ClientHasMore(string file, string tensor) =>
        $"{file} has '{tensor}', which this model does not keep at the client. Nothing was loaded. Build the model as it was when the file was written, with the same adapters and remote names.";

    public static string ClientTensorForm(string file, string tensor, IReadOnlyList<long> found, IReadOnlyList<long> expected, string type) =>
        $"{file}: '{tensor}' is {Shape(found)}; the model needs {Shape(expected)} of {type}. Nothing was loaded.";

    public static string GivenLayerMissing(string layer) =>
        $"The frozen layers given lack '{layer}', which this model computes remotely. Give those of the folder that was written with it.";

    public static string GivenLayerUnknown(string layer) =>
        $"The frozen layers given have '{layer}', which this model does not compute remotely. Give those of the folder that was written with it.";

    public static string GivenLayerTwice(string layer) => $"The frozen layers given have '{layer}' twice.";

    public static string GivenLayerShape(string layer, long outFeatures, long inFeatures, long expectedOut, long expectedIn) =>
        $"The frozen layer '{layer}' is [{outFeatures}, {inFeatures}]; the model's is [{expectedOut}, {expectedIn}].";

    public static string GivenLayerBits(string layer, int found, int asked) =>
        $"The frozen layers given have {found} bits, '{layer}' for one; {asked} were asked for. Use {found}, or null to take the layers as they are.";

    public static string GivenLayerModel(string layer, string found, string asked) =>
        $"The frozen layers given belong to model '{found}', '{layer}' for one; ModelId is '{asked}'.";

    public static string GivenLayersOfOtherModel() =>
        "The frozen layers given are not those that the client's half was written with: it would go on beside other weights. Give the 'server' folder of the same call of SaveAndClearPrivateInfo.";
}
