using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Classifiers beyond what was recorded: which loss they have, which token they look at, what they refuse.</summary>
public sealed class SequenceClassifierTests
{
    [Theory]
    [InlineData("gpt2-seqcls", "gpt2")]
    [InlineData("llama-seqcls", "llama")]
    public void The_right_family_is_loaded_from_a_folder(string name, string family)
    {
        using var model = Load(name);

        Assert.Equal((family, 0), (model.ModelType, model.PadTokenId));
        Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"], model.Labels);
        Assert.Null(model.OutputEmbeddings);
        Assert.Equal(RepositoryFolder.Fixture("models", name), model.NameOrPath);
        Assert.False(model.training);
    }

    [Theory]
    [InlineData("gpt2-base", "GPT2ForSequenceClassification")]
    [InlineData("llama-gqa", "LlamaForSequenceClassification")]
    public void A_language_model_is_refused_with_the_class_that_loads_it(string name, string needed)
    {
        var exception = Assert.Throws<InvalidDataException>(() => Load(name));

        Assert.Contains($"'{needed}' is. CausalLanguageModel.FromPretrained loads a language model, and SequenceClassifier.FromPretrained(folder, labelCount) puts", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt2-noprefix")]
    [InlineData("gpt2-untied")]
    [InlineData("llama-gqa")]
    [InlineData("llama-tied")]
    public void A_language_model_becomes_a_classifier_with_a_random_head(string name)
    {
        using var scope = NewDisposeScope();
        var folder = RepositoryFolder.Fixture("models", name);
        using var language = CausalLanguageModel.FromPretrained(folder);

        using var model = SequenceClassifier.FromPretrained(folder, labelCount: 2, seed: 3);

        Assert.Equal(["LABEL_0", "LABEL_1"], model.Labels);
        Assert.Equal((folder, false), (model.NameOrPath, model.training));
        Assert.True(model.HiddenStates(Row(9, 8, 7))[^1].Equals(language.HiddenStates(Row(9, 8, 7))[^1]));
        var score = model.named_parameters().Single(entry => entry.name == "score.weight").parameter;
        Assert.Equal(2, score.shape[0]);
        Assert.InRange(score.std().item<float>(), 0.01, 0.03);
        Assert.Equal([1, 2], model.call(Row(9, 8, 7), null, tensor(new long[] { 1 })).Logits!.shape);

        using var same = SequenceClassifier.FromPretrained(folder, labelCount: 2, seed: 3);
        using var other = SequenceClassifier.FromPretrained(folder, labelCount: 2, seed: 4);
        Assert.True(score.Equals(same.parameters().Last()));
        Assert.False(score.Equals(other.parameters().Last()));
    }

    [Fact]
    public void A_classifier_does_not_become_another_and_none_has_no_classes()
    {
        var folder = RepositoryFolder.Fixture("models", "gpt2-seqcls");

        Assert.Contains("SequenceClassifier.FromPretrained(folder) loads a classifier with the head it has.", Assert.Throws<InvalidDataException>(
            () => SequenceClassifier.FromPretrained(folder, labelCount: 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("labelCount", () => SequenceClassifier.FromPretrained(folder, labelCount: 0));
    }

    [Theory]
    [InlineData("gpt2-seqcls", "GPT2LMHeadModel")]
    [InlineData("llama-seqcls", "LlamaForCausalLM")]
    public void A_classifier_is_no_language_model(string name, string needed)
    {
        var exception = Assert.Throws<InvalidDataException>(() => CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name)));

        Assert.Contains($"'{needed}' is. SequenceClassifier.FromPretrained loads", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt2-seqcls")]
    [InlineData("llama-seqcls")]
    public void The_rightmost_token_that_is_no_padding_decides_whatever_the_mask_says(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load(name);

        var alone = model.call(Row(9, 8, 7), null, null).Logits!;
        var padded = model.call(Row(9, 8, 7, 0, 0), null, null).Logits!;
        var interrupted = model.call(Row(9, 0, 7, 0, 0), null, null).Logits!;
        var empty = model.call(Row(0, 0, 0), null, null).Logits!;

        Close.Within(1e-5, alone, padded, "padded");
        Close.Within(1e-5, model.call(Row(9, 0, 7), null, null).Logits!, interrupted, "interrupted");
        Close.Within(1e-5, model.call(Row(0), null, null).Logits!, empty, "empty");
    }

    [Fact]
    public void Without_a_padding_token_one_text_at_a_time_is_classified_by_its_last_token()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Load("gpt2-seqcls");
        var padded = model.call(Row(9, 8, 7, 0), null, null).Logits!;
        model.PadTokenId = null;

        var exception = Assert.Throws<ArgumentException>("inputIds", () => model.call(ones([2, 3], ScalarType.Int64), null, null));
        var last = model.call(Row(9, 8, 7, 0), null, null).Logits!;
        model.PadTokenId = 0;

        Assert.Contains("There are 2 texts and no padding token", exception.Message, StringComparison.Ordinal);
        Assert.False(padded.allclose(last));
        Assert.Equal([2, 3], model.call(ones([2, 3], ScalarType.Int64), null, null).Logits!.shape);
    }

    // The formulas of torch's losses, written out.
    [Theory]
    [InlineData(3, null, "classes", ProblemType.SingleLabelClassification)]
    [InlineData(3, null, "numbers", ProblemType.MultiLabelClassification)]
    [InlineData(3, "regression", "numbers", ProblemType.Regression)]
    [InlineData(3, "multi_label_classification", "numbers", ProblemType.MultiLabelClassification)]
    [InlineData(3, "single_label_classification", "classes", ProblemType.SingleLabelClassification)]
    [InlineData(1, null, "numbers", ProblemType.Regression)]
    [InlineData(1, null, "a number each", ProblemType.Regression)]
    public void The_loss_follows_from_the_configuration_or_from_the_labels(int classes, string? stated, string labels, ProblemType expected)
    {
        using var scope = NewDisposeScope();
        using var model = Make(classes, stated);
        var ids = (arange(1, 9, ScalarType.Int64) * 31 % 300).reshape(2, 4);
        var given = labels switch
        {
            "classes" => tensor(new long[] { 2, 0 }),
            "numbers" => tensor(Enumerable.Range(0, 2 * classes).Select(i => i % 2 * 1f).ToArray(), 2, classes),
            _ => tensor(new[] { 0f, 1f }),
        };

        var output = model.call(ids, null, given);

        var z = output.Logits!.to(float64);
        var y = given.to(float64);
        var loss = expected switch
        {
            ProblemType.Regression => (z - y.reshape(z.shape)).square().mean(),
            ProblemType.MultiLabelClassification => (-(y * z.sigmoid().log()) - ((1 - y) * (1 - z.sigmoid()).log())).mean(),
            _ => (z.exp().sum(1).log() - z.gather(1, given.unsqueeze(1)).squeeze(1)).mean(),
        };
        Assert.Equal(loss.item<double>(), output.Loss!.item<float>(), 1e-5);
        output.Loss!.backward();
        Assert.All(model.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void A_label_of_minus_a_hundred_asks_for_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = Load("gpt2-seqcls");
        var ids = tensor(new long[] { 9, 8, 7, 6 }, 2, 2);

        var both = model.call(ids, null, tensor(new long[] { 1, -100 })).Loss!.item<float>();

        Assert.Equal(model.call(ids.narrow(0, 0, 1), null, tensor(new long[] { 1 })).Loss!.item<float>(), both, 1e-5);
    }

    [Fact]
    public void Labels_of_a_wrong_shape_type_or_range_are_refused_without_their_values()
    {
        using var scope = NewDisposeScope();
        using var model = Load("gpt2-seqcls");
        using var single = Make(3, "single_label_classification");
        using var number = Make(1, null);

        Refused(model, tensor(new long[] { 1 }), "The labels are [1]; expected [2].");
        Refused(model, tensor(new long[] { 1, 1 }, 2, 1), "The labels are [2, 1]; expected [2].");
        Refused(model, tensor(new long[] { 1, 3 }), "neither -100 nor a class: classes are 0 to 2.");
        Refused(model, tensor(new long[] { 1, -1 }), "neither -100 nor a class: classes are 0 to 2.");
        Refused(model, tensor(new[] { 1, 2 }), "'labels' is Int32; expected Int64.");
        Refused(model, ones(2, 2), "The labels are [2, 2]; expected [2, 3].");
        Refused(model, ones(2), "The labels are [2]; expected [2, 3].");
        Refused(single, ones(2, 3), "'labels' is Float32; expected Int64.");
        Refused(number, tensor(new long[] { 1, 2 }), "'labels' is Int64; expected floating point");
        Refused(number, ones(3), "The labels are [3]; expected [2, 1].");

        static void Refused(SequenceClassifier model, Tensor labels, string text)
        {
            var exception = Assert.Throws<ArgumentException>(nameof(labels), () => model.call(tensor(new long[] { 9, 8, 7, 6 }, 2, 2), null, labels));
            Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("llama-seqcls")]
    [InlineData("gpt2-seqcls")]
    public void A_fresh_one_guesses(string name)
    {
        using var scope = NewDisposeScope();
        var folder = RepositoryFolder.Fixture("models", name);
        using SequenceClassifier model = name == "gpt2-seqcls"
            ? new Gpt2ForSequenceClassification(Gpt2Config.Load(folder))
            : new LlamaForSequenceClassification(LlamaConfig.Load(folder));

        var output = model.call(tensor(new long[] { 9, 8, 7, 6 }, 2, 2), null, tensor(new long[] { 1, 2 }));

        Assert.True(model.training);
        Assert.Equal(Math.Log(3), output.Loss!.item<float>(), 0.3);
    }

    private static SequenceClassifier Load(string name) => SequenceClassifier.FromPretrained(RepositoryFolder.Fixture("models", name));

    private static Gpt2ForSequenceClassification Make(int classes, string? problemType)
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFolder.Fixture("models", "gpt2-seqcls", "config.json")))!.AsObject();
        json.Remove("id2label");
        json["num_labels"] = classes;
        json["problem_type"] = problemType;
        return new Gpt2ForSequenceClassification(Gpt2Config.Parse(json.ToJsonString()));
    }

    private static Tensor Row(params long[] values) => tensor(values, 1, values.Length);
}
