using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>The shipped model against what transformers and peft recorded of it.</summary>
public sealed class TinyAustenTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Logits_of_four_texts_are_those_of_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var recorded = Golden.Open("tiny-austen");
        using var model = Load();
        for (var i = 0; i < 4; i++)
        {
            var ids = recorded.Int64Tensor("logits", $"in{i}.input_ids");

            var logits = model.call(ids.reshape(1, -1), null, null).Logits!.squeeze(0);

            Close.Within(1e-4, recorded.SingleTensor("logits", $"in{i}.logits"), logits, $"in{i}.logits");
        }
    }

    [Fact]
    public void Greedy_texts_are_those_of_the_reference_token_for_token()
    {
        using var recorded = Golden.Open("tiny-austen");
        using var model = Load();
        var tokenizer = PretrainedTokenizer.FromPretrained(Folder);
        foreach (var one in recorded.Json("reference.json")["greedy"].Items)
        {
            var expected = one["new_ids"].AsInt32s;
            Assert.Equal(one["prompt_ids"].AsInt32s, tokenizer.Encode(one["prompt"].AsString));
            var options = new GenerationOptions { MaxNewTokens = expected.Length };

            Assert.Equal(expected, model.Generate(one["prompt_ids"].AsInt32s, options, cancellationToken: Cancellation));
            Assert.Equal(one["text"].AsString, model.Generate(tokenizer, one["prompt"].AsString, options, cancellationToken: Cancellation));
        }
    }

    [Theory]
    [InlineData("before", "gen_before", false)]
    [InlineData("after", "gen_after", true)]
    public void Perplexity_and_texts_are_those_of_peft_before_and_after_fine_tuning(string perplexity, string texts, bool isAdapted)
    {
        using var model = Load();
        using var recorded = Golden.Open("lora/tiny-austen-proverbs");
        var report = recorded.Json("report.json");
        if (isAdapted)
        {
            LoraModel.FromPretrained(model, recorded.File("adapter"));
        }

        AssertPerplexity(report, perplexity, model);
        foreach (var one in report[texts].Items)
        {
            var expected = one["new_ids"].AsInt32s;
            var options = new GenerationOptions { MaxNewTokens = expected.Length };
            Assert.Equal(expected, model.Generate(one["prompt_ids"].AsInt32s, options, cancellationToken: Cancellation));
        }
    }

    [Fact]
    public void The_first_steps_of_the_recorded_training_have_the_same_losses()
    {
        // All 150 would take half a minute; a wrong gradient shows in the second.
        const int Steps = 12;
        using var model = Load();
        using var recorded = Golden.Open("lora/tiny-austen-proverbs");
        var adapted = LoraModel.FromPretrained(model, recorded.File("adapter-init"), isTrainable: true);
        using var optimizer = optim.AdamW(adapted.TrainableParameters(), lr: 0.003, weight_decay: 0);
        var batches = recorded.Int64s("batches", "batches");
        var report = recorded.Json("report.json");
        var expected = report["losses"].AsDoubles;
        model.train();
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var ids = tensor(batches.Values.AsSpan(step * 512, 512).ToArray(), 4, 128);
            optimizer.zero_grad();
            var loss = model.call(ids, null, ids).Loss!;
            loss.backward();
            if (step == 0)
            {
                var norm = cat([.. adapted.TrainableParameters().Select(parameter => parameter.grad!.flatten())]).norm().item<float>();
                Assert.Equal(report["grad_norm_step0"].AsDouble, norm, 1e-5);
            }

            optimizer.step();
            Assert.Equal(expected[step], loss.item<float>(), 2e-4);
        }
    }

    private static string Folder => RepositoryFolder.At("models", "tiny-austen");

    private static CausalLanguageModel Load() => CausalLanguageModel.FromPretrained(Folder);

    private static void AssertPerplexity(GoldenJson report, string when, CausalLanguageModel model)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        const int Window = 128;
        var ids = report["eval_ids"].AsInt64s;
        var sum = 0.0;
        var count = 0;
        for (var start = 0; start + Window < ids.Length; start += Window)
        {
            var window = tensor(ids.AsSpan(start, Window + 1).ToArray(), 1, Window + 1);
            sum += model.call(window, null, window).Loss!.item<float>() * (double)Window;
            count += Window;
        }

        Assert.Equal(report[when]["tokens"].AsInt32, count);
        Assert.Equal(report[when]["nll_sum"].AsDouble, sum, 0.05);
        Assert.Equal(report[when]["ppl"].AsDouble, Math.Exp(sum / count), 0.01);
    }
}
