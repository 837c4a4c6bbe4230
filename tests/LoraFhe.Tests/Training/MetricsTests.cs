using System.Text.Json;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Loss averages recorded from the transformers library.</summary>
public sealed class MetricsTests
{
    public static TheoryData<string> Cases => ["full", "masked", "first_masked", "one_target"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Perplexity_is_the_recorded_token_mean(string name)
    {
        var expected = Expected()["cases"][name];
        using var batch = Recorded(name);
        using var model = new Echo();
        var metrics = Metrics.Perplexity(model, [batch]);
        Assert.Equal(expected["token_mean_float64"].AsDouble, metrics["eval_loss"], 1e-5);
        Assert.Equal(expected["perplexity_token_mean_float64"].AsDouble, metrics["perplexity"], 1e-3);
        Assert.Equal(expected["next_token_accuracy"].AsDouble, Metrics.Accuracy(model, [batch])["accuracy"], 1e-6);
    }

    [Fact]
    public void Batches_weigh_by_their_tokens()
    {
        var expected = Expected()["evaluation"]["perplexity_token_weighted"].AsDouble;
        using var whole = Recorded("masked");
        using var first = Rows(whole, 0, 1);
        using var rest = Rows(whole, 1, whole.Labels!.shape[0] - 1);
        using var model = new Echo();
        Assert.Equal(expected, Metrics.Perplexity(model, [first, rest])["perplexity"], 1e-3);

        // A model that computes its mean loss itself gives the same.
        using var own = new Echo(ownLoss: true);
        Assert.Equal(expected, Metrics.Perplexity(own, [first, rest])["perplexity"], 1e-3);
    }

    [Fact]
    public void Without_a_label_that_counts_there_is_no_number()
    {
        using var batch = Recorded("none");
        using var model = new Echo();
        Assert.Equal(double.NaN, Metrics.Perplexity(model, [batch])["perplexity"]);
        Assert.Equal(double.NaN, Metrics.Accuracy(model, [batch])["accuracy"]);
    }

    [Fact]
    public void Classes_are_compared_without_a_shift()
    {
        using var model = new Echo();
        using Batch batch = (tensor(new float[,] { { 5, 0 }, { 0, 5 }, { 5, 0 }, { 0, 5 } }), tensor(new long[] { 0, 1, 1, -100 }));
        Assert.Equal(2.0 / 3, Metrics.Accuracy(model, [batch])["accuracy"], 1e-9);
    }

    [Fact]
    public void No_batches_or_no_labels_is_an_error()
    {
        using var model = new Echo();
        Assert.Contains("'loader' has no batches", Assert.Throws<ArgumentException>(() => Metrics.Perplexity(model, [])).Message, StringComparison.Ordinal);
        using Batch batch = (ones(1, 2, 3), null);
        Assert.Contains("'labels'", Assert.Throws<ArgumentException>(() => Metrics.Perplexity(model, [batch])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_model_is_evaluated_without_dropout_and_graph_and_left_as_it_was(bool training)
    {
        using var batch = Recorded("full");
        using var model = new Echo();
        model.train(training);
        Metrics.Perplexity(model, [batch]);
        Assert.False(model.TrainingInside);
        Assert.False(model.GradInside);
        Assert.Equal(training, model.training);
    }

    private static GoldenJson Expected()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(RepositoryFolder.Fixture("metrics.json")));
        return new GoldenJson(document.RootElement.Clone());
    }

    private static Batch Recorded(string name)
    {
        using var file = SafetensorsFile.Open(RepositoryFolder.Fixture("metrics.safetensors"));
        return new Batch(
            tensor(file.ReadSingles("logits"), [.. file.Entry("logits").Shape]),
            tensor(file.ReadInt64s(name + ".labels"), [.. file.Entry(name + ".labels").Shape]));
    }

    private static Batch Rows(Batch batch, long first, long count) => new(batch.Input!.narrow(0, first, count), batch.Labels!.narrow(0, first, count));

    /// <summary>Its input is its logits.</summary>
    private sealed class Echo(bool ownLoss = false) : nn.Module<Tensor, Tensor?, ModelOutput>(nameof(Echo))
    {
        public bool TrainingInside { get; private set; }

        public bool GradInside { get; private set; }

        public override ModelOutput forward(Tensor x, Tensor? labels)
        {
            (TrainingInside, GradInside) = (training, is_grad_enabled());
            var loss = ownLoss && labels is not null
                ? nn.functional.cross_entropy(x.narrow(1, 0, x.shape[1] - 1).reshape(-1, x.shape[2]), labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1))
                : null;
            return new ModelOutput { Logits = x.alias(), Loss = loss };
        }
    }
}
