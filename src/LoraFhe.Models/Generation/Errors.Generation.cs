namespace LoraFhe.Models;

/// <content>Generation: its options and prompts.</content>
internal static partial class Errors
{
    public static string Options(IEnumerable<string> faults) => string.Join(" ", faults);

    public static string OptionRange(string option, string found, string expected) => $"{option} is {found}; expected {expected}.";

    public static string OptionWithoutSampling(string option) =>
        $"{option} has no effect on greedy decoding. Set Temperature, for example to 1, or leave {option} out.";

    public static string LogitsNotANumber() =>
        "The model's logits are not numbers. Its weights, or its adapters after training, are not finite.";

    public static string NoPrompts() => "There is no prompt; expected at least one.";

    public static string EmptyPrompt(int index) =>
        $"Prompt {index} is empty; expected at least one token id, for example the tokenizer's start token.";

    public static string PromptTooLong(int index, int length, int positions) =>
        $"Prompt {index} has {length} tokens; the model takes {positions} in all, so at most {positions - 1} leave room for an answer.";

    public static string PromptOutsideVocabulary(int index, int size) =>
        $"Prompt {index} has an id that is not of the model's vocabulary: ids are 0 to {size - 1}. Use the tokenizer of the same folder.";
}
