namespace LoraFhe.Models;

internal static partial class Errors
{
    public static string NotJson(string file, long line, long position) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file}: not valid JSON at line {line}, byte {position}. Copy it again from where it came.");

    public static string JsonMissing(string file, string path) => $"{file}: '{path}' is missing.";

    public static string JsonUnknownKey(string file, string path) =>
        $"{file}: '{path}' is not known here, and what it says might change the ids. Remove it if it does not.";

    public static string JsonKeyNotText(string file, string prefix) => $"{file}: a key '{prefix}...' is not text: it has half a surrogate pair.";

    public static string JsonKind(string file, string path, string expected) =>
        path.Length == 0 ? $"{file}: the file is not {expected}." : $"{file}: '{path}' is not {expected}.";

    public static string JsonValue(string file, string path, string expected, string found) => $"{file}: '{path}' is not {expected}; it is {found}.";

    public static string JsonUnsupported(string file, string path, string found, string supported) =>
        $"{file}: '{path}' is {found}, which is not supported; {supported}.";

    public static string BadPattern(string file, string path, string reason) => $"{file}: '{path}' is not a regular expression .NET can run. {reason}";

    public static string SlowPattern(string pattern) => $"tokenizer.json: the pattern '{pattern}' of 'pre_tokenizer' did not end on this text. Use the model's own file.";

    public static string CannotCompose() =>
        "tokenizer.json: 'normalizer' is NFC, and the text has characters that it may change, for which .NET needs ICU. Set InvariantGlobalization to false in the program's project, or start it with DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0.";

    public static string BadMerge(string file, string path) =>
        $"{file}: '{path}' must join two tokens of the vocabulary into a third.";

    public static string BadMergeLine(string file, int line) =>
        $"{file} line {line}: must join two tokens of the vocabulary into a third.";

    public static string DuplicateToken(string file, string token) => $"{file}: the token '{token}' appears twice.";

    public static string DuplicateTokenId(string file, int id) => $"{file}: two tokens have the id {id}.";

    public static string AddedTokenId(string file, string token, int id, int expected) =>
        $"{file}: the added token '{token}' has the id {id}; the vocabulary gives it {expected}.";

    public static string UnknownSpecialToken(string file, string key, string token) => $"{file}: '{key}' is '{token}', which the tokenizer does not have.";

    public static string TemplateDiffers(string file, string key, bool adds) =>
        $"{file}: '{key}' is {(adds ? "true" : "false")}, but the tokenizer's post_processor {(adds ? "does not add" : "adds")} that token. Change one of them: classes of the Python library differ in which they follow.";

    public static string NoTokenizer(string folder) =>
        $"There is neither a tokenizer.json nor a vocab.json with its merges.txt in '{Path.GetFullPath(folder)}'. Give a Hugging Face folder that has one.";

    public static string NoTokenizerPart(string folder, string has, string lacks) => $"'{folder}' has {has}, but neither {lacks} nor a tokenizer.json. Copy {lacks} from where {has} came.";
}
