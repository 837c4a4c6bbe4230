namespace LoraFhe.Models;

internal static partial class Errors
{
    public static string NotJson(string file, long line, long position) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file}: not valid JSON at line {line}, byte {position}. Copy it again from where it came.");

    public static string JsonMissing(string file, string path) => $"{file}: '{path}' is missing.";

    public static string JsonKind(string file, string path, string expected) =>
        path.Length == 0 ? $"{file}: the file is not {expected}." : $"{file}: '{path}' is not {expected}.";

    public static string JsonValue(string file, string path, string expected, string found) => $"{file}: '{path}' is not {expected}; it is {found}.";

    public static string JsonUnsupported(string file, string path, string found, string supported) =>
        $"{file}: '{path}' is {found}, which is not supported; {supported}.";

    public static string BadPattern(string file, string path, string reason) => $"{file}: '{path}' is not a regular expression .NET can run. {reason}";

    public static string BadMerge(string file, int index) =>
        $"{file}: 'model.merges[{index}]' must join two tokens of the vocabulary into a third.";

    public static string DuplicateToken(string file, string token) => $"{file}: the token '{token}' appears twice.";

    public static string DuplicateTokenId(string file, int id) => $"{file}: two tokens have the id {id}.";

    public static string AddedTokenId(string file, string token, int id, int expected) =>
        $"{file}: the added token '{token}' has the id {id}; the vocabulary gives it {expected}.";

    public static string UnknownSpecialToken(string file, string key, string token) => $"{file}: '{key}' is '{token}', which tokenizer.json does not have.";

    public static string NoTokenizer(string folder) => $"There is no tokenizer.json in '{folder}'. Give a Hugging Face folder that has one; older vocab.json and merges.txt are not read.";
}
