namespace LoraFhe;

/// <summary>The texts of all errors of this project, a method a case. No method takes a tensor, a span of values or a secret.</summary>
internal static partial class Errors
{
    public static string UnsupportedPlatform(string runtimeIdentifier) =>
        $"TorchSharp 0.107.0 runs on Linux x64 and macOS Arm64 only; this process is '{runtimeIdentifier}'. Use one of those, for example WSL 2 on Windows.";

    public static string LibTorchMissing(string folder) =>
        $"libtorch could not be loaded from '{folder}'. Add the package TorchSharp-cpu 0.107.0 to the program's project.";

    public static string UndefinedValue(string option, Enum value) =>
        $"{option} is {value:D}, which is none of its values; expected one of {string.Join(", ", Enum.GetNames(value.GetType()))}.";

    public static string TensorTypeNotSaved(string name, string type) =>
        $"'{name}' is {type}, which no file here can hold. Turn it into Float32, Float64, BFloat16, Float16, Int64, Int32 or Bool.";
}
