namespace LoraFhe.Models;

/// <summary>The texts of all errors of this project, a method a case. No method takes a tensor, a span of values or a secret.</summary>
internal static partial class Errors
{
    private const int ListedNames = 5;

    public static string NoModelFolder(string folder) =>
        $"There is no folder '{Path.GetFullPath(folder)}'. Give a Hugging Face model folder: config.json and *.safetensors.";

    public static string FileMissing(string folder, string file) =>
        $"'{folder}' has no {file}. A Hugging Face model folder holds config.json and *.safetensors.";

    public static string WeightsMissing(string folder) =>
        $"'{folder}' has neither model.safetensors nor model.safetensors.index.json. Is the download complete?";

    public static string WeightsArePickled(string folder, string file) =>
        $"'{folder}' has its weights in {file} only, which cannot be read here. Save the model again as safetensors.";

    public static string ShardName(string file, string tensor, string shard) =>
        $"{file}: '{tensor}' is said to be in '{shard}', which is not the name of a .safetensors file of the same folder.";

    public static string ShardMissing(string file, string folder, string shard) =>
        $"{file} names '{shard}', which '{folder}' does not have.";

    public static string ShardLacksTensor(string index, string shard, string tensor) =>
        $"{shard}: '{tensor}' is missing; {index} says it is there.";

    public static string TensorTwice(string first, string second, string tensor) => $"'{tensor}' is in both {first} and {second}.";

    public static string TensorsMissing(string file, IReadOnlyList<string> names) =>
        $"{file}: missing {Tensors(names)}; the model needs {It(names)}.";

    public static string TensorsUnexpected(string file, IReadOnlyList<string> names) =>
        $"{file}: unexpected {Tensors(names)}; the model has no such parameter.";

    public static string TensorShape(string file, string tensor, IEnumerable<long> found, IEnumerable<long> needed) =>
        $"{file}: '{tensor}' is [{string.Join(", ", found)}]; the model needs [{string.Join(", ", needed)}].";

    public static string TensorType(string file, string tensor, string found) =>
        $"{file}: '{tensor}' is {found}; expected F32, F16, BF16 or F64.";

    public static string TensorNotFinite(string file, string tensor) =>
        $"{file}: '{tensor}' has values that are infinite or no numbers. The file is damaged, or a training went wrong before it was written.";

    public static string TensorTooLarge(string file, string tensor) =>
        $"{file}: '{tensor}' needs more than 2 GiB in single precision, which is not supported.";

    public static string TiedTensorDiffers(string file, string tied, string source) =>
        $"{file}: '{tied}' differs from '{source}', though config.json ties them. " +
        "Set \"tie_word_embeddings\": false if they are meant to differ.";

    private static string Tensors(IReadOnlyList<string> names) =>
        (names.Count == 1 ? "tensor " : $"{names.Count} tensors: ") + Quoted(names);

    private static string It(IReadOnlyList<string> names) => names.Count == 1 ? "it" : "them";

    private static string Quoted(IEnumerable<string> names)
    {
        var listed = names.ToList();
        var text = string.Join(", ", listed.Take(ListedNames).Select(name => $"'{name}'"));
        return listed.Count > ListedNames ? text + ", ..." : text;
    }
}
