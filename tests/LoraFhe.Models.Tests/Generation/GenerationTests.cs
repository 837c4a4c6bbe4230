using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

public sealed class GenerationTests : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly int[] Prompt = [0, 38, 694, 306];

    private readonly CausalLanguageModel _model = CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void The_same_seed_gives_the_same_text_and_another_seed_another()
    {
        var options = new GenerationOptions { Temperature = 1, MaxNewTokens = 24, Seed = 5 };

        var first = Run(options);
        var second = Run(options);

        Assert.Equal(first, second);
        Assert.NotEqual(first, Run(options with { Seed = 6 }));
    }

    [Theory]
    [InlineData(0.8, 0, 1.0)]
    [InlineData(1.0, 20, 1.0)]
    [InlineData(1.2, 0, 0.8)]
    public void Sampling_is_the_same_with_and_without_the_cache(double temperature, int topK, double topP)
    {
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MaxNewTokens = 24, Seed = 3 };

        Assert.Equal(Run(options with { UseCache = false }), Run(options));
    }

    [Fact]
    public void A_repetition_penalty_breaks_the_loop_of_a_greedy_text()
    {
        var greedy = Run(new GenerationOptions { MaxNewTokens = 60 });
        var penalized = Run(new GenerationOptions { MaxNewTokens = 60, RepetitionPenalty = 1.3 });

        Assert.True(penalized.Distinct().Count() > greedy.Distinct().Count());
    }

    [Fact]
    public void A_text_ends_with_the_end_token_it_keeps()
    {
        var free = Run(new GenerationOptions { MaxNewTokens = 30 });

        var ended = Run(new GenerationOptions { MaxNewTokens = 30, EndOfSequenceIds = [free[7]] });

        Assert.Equal(free[..(Array.IndexOf(free, free[7]) + 1)], ended);
    }

    [Fact]
    public void Each_token_is_told_as_it_comes()
    {
        var told = new List<int>();

        var ids = _model.Generate(Prompt, new GenerationOptions { MaxNewTokens = 9 }, told.Add, Cancellation);

        Assert.Equal(ids, told);
        Assert.Equal(9, told.Count);
    }

    [Fact]
    public void Pieces_of_text_join_to_the_text()
    {
        var tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));
        var pieces = new List<string>();

        // Hot enough that bytes of characters come alone, which are no text by themselves.
        var options = new GenerationOptions { Temperature = 6, Seed = 11, MaxNewTokens = 120, EndOfSequenceIds = [] };
        var text = _model.Generate(tokenizer, "Emma was", options, pieces.Add, Cancellation);

        Assert.Equal(text, string.Concat(pieces));
        Assert.True(pieces.Count > 10);
    }

    [Fact]
    public void Cancelling_stops_before_the_next_token()
    {
        using var source = new CancellationTokenSource();
        var count = 0;

        Assert.Throws<OperationCanceledException>(() => _model.Generate(
            Prompt,
            new GenerationOptions { MaxNewTokens = 50 },
            _ =>
            {
                if (++count == 3)
                {
                    source.Cancel();
                }
            },
            source.Token));

        Assert.Equal(3, count);
        Assert.False(_model.training);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_training_flag_is_restored(bool training)
    {
        _model.train(training);

        Run(new GenerationOptions { MaxNewTokens = 1 });

        Assert.Equal(training, _model.training);
        Assert.All(_model.modules(), module => Assert.True(module.training == training, module.GetName()));
    }

    [Fact]
    public void A_text_stops_where_the_model_s_positions_do()
    {
        var prompt = Enumerable.Repeat(5, _model.MaxPositions - 3).ToArray();

        var options = new GenerationOptions { MaxNewTokens = 10, EndOfSequenceIds = [] };

        var ids = _model.Generate(prompt, options, cancellationToken: Cancellation);

        Assert.Equal(3, ids.Length);
    }

    [Fact]
    public void Several_prompts_get_the_texts_they_would_get_alone()
    {
        int[][] prompts = [Prompt, [0], [0, 3, 46, 90, 735, 520]];
        var options = new GenerationOptions { MaxNewTokens = 16 };

        var together = _model.Generate(prompts, options, cancellationToken: Cancellation);

        Assert.Equal(prompts.Select(prompt => _model.Generate(prompt, options, cancellationToken: Cancellation)), together);
    }

    [Fact]
    public void Prompts_and_options_that_cannot_be_are_refused_by_name()
    {
        Refused("Prompt 0 is empty", [], new());
        Refused("Prompt 0 has 512 tokens; the model takes 512 in all, so at most 511 leave room for an answer.", new int[512], new());
        Refused("Prompt 0 has an id that is not of the model's vocabulary: ids are 0 to 1023.", [1024], new());
        Refused("Prompt 0 has an id that is not of the model's vocabulary: ids are 0 to 1023.", [-1], new());
        Refused("MaxNewTokens is 0; expected at least 1.", Prompt, new() { MaxNewTokens = 0 });
        Refused("Temperature is -1; expected 0 or a positive number.", Prompt, new() { Temperature = -1 });
        Refused("TopK is -1; expected 0 or more.", Prompt, new() { TopK = -1, Temperature = 1 });
        Refused("TopP is 0; expected more than 0, at most 1.", Prompt, new() { TopP = 0, Temperature = 1 });
        Refused("RepetitionPenalty is 0; expected a positive number.", Prompt, new() { RepetitionPenalty = 0 });
        Refused("TopK has no effect on greedy decoding. Set Temperature, for example to 1, or leave TopK out.", Prompt, new() { TopK = 5 });
        Refused("at least 1. Temperature is NaN;", Prompt, new() { MaxNewTokens = 0, Temperature = double.NaN });
        Assert.Contains("There is no prompt", Assert.Throws<ArgumentException>(
            () => _model.Generate(Array.Empty<int[]>(), cancellationToken: Cancellation)).Message, StringComparison.Ordinal);

        void Refused(string text, int[] prompt, GenerationOptions options) => Assert.Contains(
            text,
            Assert.Throws<ArgumentException>(() => _model.Generate(prompt, options, cancellationToken: Cancellation)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_are_not_numbers_are_told()
    {
        using (no_grad())
        {
            _model.parameters().Last().fill_(float.NaN);
        }

        var exception = Assert.Throws<InvalidOperationException>(() => Run(new GenerationOptions()));
        Assert.Contains("not numbers", exception.Message, StringComparison.Ordinal);
    }

    private int[] Run(GenerationOptions options) =>
        _model.Generate(Prompt, options, cancellationToken: Cancellation);
}
