using System.Reflection;
using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>Ids and decoded text of every recorded string, as Hugging Face's tokenizers gives them.</summary>
public sealed class RecordedIdsTests
{
    [Theory]
    [RecordedStrings("gpt2", "tiny-austen", "glassllm")]
    public void Ids_and_decoded_text_are_the_recorded_ones(string tokenizer, string text) => Check(tokenizer, text);

    [RealModelTheory]
    [RecordedStrings("smollm2", "llama3", "llama2")]
    public void Ids_and_decoded_text_of_a_vocabulary_that_is_not_shipped_are_the_recorded_ones(string tokenizer, string text) => Check(tokenizer, text);

    [Fact]
    public void Every_recorded_file_is_tested_and_none_of_its_strings_is_lost()
    {
        var tested = typeof(RecordedIdsTests).GetMethods().SelectMany(method => method.GetCustomAttributes<RecordedStringsAttribute>())
            .SelectMany(recorded => recorded.Tokenizers).ToDictionary(name => name, name => RecordedStringsAttribute.Of(name).Length);
        var recorded = Directory.GetFiles(RepositoryFolder.Fixture("tokenizers"), "ids-*.json").Select(path => Path.GetFileNameWithoutExtension(path)["ids-".Length..]);

        // Sixty strings each; five more were recorded with glassllm's, which knows few characters.
        Assert.Equal(recorded.Order(), tested.Keys.Order());
        Assert.All(tested, entry => Assert.Equal(entry.Key == "glassllm" ? 65 : 60, entry.Value));
    }

    private static void Check(string name, string row)
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load(name);
        GoldenJson recorded = RecordedStringsAttribute.At(name, row);
        if (name == "glassllm" && !TokenizerFolders.Composes && recorded["text"].AsString.Any(c => c is >= '\u0300' and not (>= '\u2010' and < '\u2028')))
        {
            Assert.Throws<PlatformNotSupportedException>(() => tokenizer.Encode(recorded["text"].AsString));
            return;
        }

        Assert.Equal(recorded["ids"].AsInt32s, tokenizer.Encode(recorded["text"].AsString, addSpecialTokens: false));
        Assert.Equal(recorded["decoded"].AsString, tokenizer.Decode(recorded["ids"].AsInt32s, skipSpecialTokens: false));
    }
}
