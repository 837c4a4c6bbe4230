using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>glassllm-en, a small Llama of Lewis Carroll's English that no one here made: nothing was recorded of it, but what a model of that text must do is known.</summary>
public sealed class GlassLlmTests : IDisposable
{
    private const string Alice =
        "Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice she had " +
        "peeped into the book her sister was reading, but it had no pictures or conversations in it, \u201cand what is the use of a book,\u201d " +
        "thought Alice \u201cwithout pictures or conversations?\u201d";

    private readonly CausalLanguageModel _model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("glassllm-en"));
    private readonly PretrainedTokenizer _tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.Fixture("glassllm-en"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Its_half_precision_weights_are_the_published_852608_parameters()
    {
        using var golden = Golden.Open("glassllm-en");
        var file = golden.Tensors("model");

        Assert.Equal(852_608, _model.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(file.Entries.Select(entry => entry.Name).Order(), _model.named_parameters().Select(entry => entry.name).Order());
        Assert.All(_model.named_parameters(), entry => Assert.Equal(file.ReadSingles(entry.name), entry.parameter.data<float>().ToArray()));
    }

    [Fact]
    public void It_knows_the_text_it_was_trained_on_and_the_order_of_its_words()
    {
        var loss = Loss(Alice);

        // Guessing among 1024 tokens would cost 6.9 each. A wrong head group, angle or norm loses most of what it knows.
        Assert.InRange(loss, 1, 4);
        Assert.InRange(Loss(Shuffled(Alice)) - loss, 1, 4);
    }

    [Fact]
    public void It_knows_the_text_better_than_one_that_is_older_than_it()
    {
        var proverbs = string.Join(' ', File.ReadLines(RepositoryFolder.At("models", "text", "kjv-proverbs.txt")).Skip(20).Take(3));

        Assert.InRange(Loss(proverbs), Loss(Alice) + 0.5, 6.9);
    }

    [Theory]
    [InlineData("Alice was")]
    [InlineData("The Queen")]
    [InlineData("\u201cWhat is")]
    [InlineData("said the")]
    public void Its_texts_are_of_English_words_and_the_same_without_the_cache(string prompt)
    {
        var options = new GenerationOptions { MaxNewTokens = 60 };

        var text = _model.Generate(_tokenizer, prompt, options, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(text, _model.Generate(_tokenizer, prompt, options with { UseCache = false }, cancellationToken: TestContext.Current.CancellationToken));
        var known = Words(Alice).Concat(Words(File.ReadAllText(RepositoryFolder.At("models", "text", "kjv-proverbs.txt")))).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var words = Words(text).ToList();
        Assert.InRange(words.Count, 20, 60);
        Assert.InRange(words.Count(known.Contains), 0.75 * words.Count, words.Count);
    }

    [Fact]
    public void Several_texts_together_are_those_of_each_alone()
    {
        int[][] prompts = [.. new[] { "Alice", "The Queen of Hearts, she made some", "said the" }.Select(prompt => _tokenizer.Encode(prompt).ToArray())];
        var options = new GenerationOptions { MaxNewTokens = 24 };

        var together = _model.Generate(prompts, options, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(prompts.Select(prompt => _model.Generate(prompt, options, cancellationToken: TestContext.Current.CancellationToken)), together);
    }

    private double Loss(string text)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var ids = tensor(_tokenizer.Encode(text).Select(id => (long)id).ToArray()).unsqueeze(0);
        return _model.call(ids, null, ids).Loss!.item<float>();
    }

    private static string Shuffled(string text)
    {
        var words = text.Split(' ');
        new Random(1).Shuffle(words);
        return string.Join(' ', words);
    }

    private static string[] Words(string text) => text.Split(text.Where(character => !char.IsLetter(character)).Distinct().ToArray(), StringSplitOptions.RemoveEmptyEntries);
}
