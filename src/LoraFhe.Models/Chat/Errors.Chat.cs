namespace LoraFhe.Models;

// Messages are private: no text quotes one, but for what a template says itself with raise_exception.
internal static partial class Errors
{
    private const int LongestQuote = 60;
    private const int LongestRaised = 300;

    public static string NoChatTemplate(string folder) =>
        $"There is no chat template in '{folder}': neither a chat_template.jinja nor 'chat_template' in tokenizer_config.json. Give the folder of a model that was tuned to chat, or write the text out yourself.";

    public static string NoDefaultTemplate(string file, string path, string names) =>
        $"{file}: '{path}' has no template named 'default'; it has {names}. Write the one you want to chat_template.jinja.";

    public static string TemplateLength(string file, long length, long most) => $"{file}: the chat template is {length} characters long; at most {most} are read.";

    public static string NoMessages => "A conversation needs at least one message.";

    public static string NoMessagePart(int index) => $"Message {index} has no role or no content: neither may be null.";

    public static string Template(string file, int line, string what) => $"{file}, line {line} of the chat template: {what}.";

    public static string TemplateQuote(string text) => Cut(text, LongestQuote);

    public static string TemplateUnsupported(string what) => $"{what} is not supported";

    public static string TemplateMember(string name, string type) => $"'{Cut(name, LongestQuote)}' of {type}";

    public static string TemplateUnclosed(string what) => $"{what} does not end";

    public static string TemplateCharacter(char found) => char.IsControl(found) || char.IsSurrogate(found)
        ? "a character that has no meaning in a tag"
        : $"the character '{found}' has no meaning in a tag";

    public static string TemplateEscape => "a string has an escape that is incomplete or not supported";

    public static string TemplateNumber(string text) => $"'{Cut(text, LongestQuote)}' is not a whole number of 64 bits";

    public static string TemplateUnexpected(string found) => $"{found} closes nothing";

    public static string TemplateExpected(string found, string expected) => $"found {Cut(found, LongestQuote)} where {expected} must stand";

    public static string TemplateJump(string keyword) => $"'{keyword}' stands outside of a loop";

    public static string TemplateTarget(string name) => $"'{Cut(name, LongestQuote)}' cannot be given a value";

    public static string TemplateTooDeep(int most) => $"expressions, blocks or values nest deeper than {most} levels";

    public static string TemplateTooManySteps(long most) => $"more than {most} steps for these messages; the template seems not to end";

    public static string TemplateTooMuchText(long most) => $"more than {most} characters for these messages; the template seems not to end";

    public static string TemplateUndefined(string what) => $"'{Cut(what, LongestQuote)}', which is undefined,";

    public static string TemplateUseOfUndefined(string what) => $"'{Cut(what, LongestQuote)}' is undefined";

    public static string TemplateNotIterable(string type) => $"{type} cannot be gone through";

    public static string TemplateNoLength(string type) => $"{type} has no length";

    public static string TemplateNotCallable(string type) => $"{type} cannot be called";

    public static string TemplateUnprintable(string type) => $"{type} cannot be printed";

    public static string TemplateNotJson(string type) => $"JSON cannot hold {type}";

    public static string TemplateOperand(string operation, string type) => $"'{operation}' cannot be applied to {type}";

    public static string TemplateOperands(string operation, string left, string right) => $"'{operation}' cannot be applied to {left} and {right}";

    public static string TemplateDivision => "a division by zero";

    public static string TemplateOverflow => "a whole number is too large";

    public static string TemplateSliceStep => "a slice's step is zero";

    public static string TemplateNoSlices(string type) => $"{type} has no slices";

    public static string TemplateRange(int most) => $"a range of more than {most} numbers";

    public static string TemplateUnpack(int found, int expected) => $"{found} values for {expected} names";

    public static string TemplateNotNamespace(string name) => $"'{Cut(name, LongestQuote)}' is not a namespace; only a namespace's attributes can be set";

    public static string TemplateArgumentCount(string owner, int found, int most) => $"'{Cut(owner, LongestQuote)}' was given {found} arguments; it takes {most}";

    public static string TemplateArgument(string owner, string name) => $"'{Cut(owner, LongestQuote)}' was given '{Cut(name, LongestQuote)}', which it does not take, or takes once";

    public static string TemplateArgumentMissing(string owner, string name) => $"'{Cut(owner, LongestQuote)}' needs '{name}'";

    public static string TemplateArgumentType(string owner, string expected, string found) => $"'{Cut(owner, LongestQuote)}' needs {expected}; it was given {found}";

    public static string TemplateRaised(string message) => $"the template refuses the conversation: {Cut(message.EndsWith('.') ? message[..^1] : message, LongestRaised)}";

    private static string Cut(string text, int longest)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= longest ? line : string.Concat(line.AsSpan(0, longest), "...");
    }
}
