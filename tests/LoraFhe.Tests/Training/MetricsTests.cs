using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>What a metric needs and how it leaves a model; its values are held to recorded ones among the parity tests.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void A_model_that_computes_its_mean_loss_itself_gives_the_same()
    {
        using var batch = Random(3);
        using var other = Random(1);
        using var model = new Echo();
        using var own = new Echo(ownLoss: true);
        Assert.Equal(Metrics.Perplexity(model, [batch, other])["perplexity"], Metrics.Perplexity(own, [batch, other])["perplexity"], 1e-3);
    }

    [Fact]
    public void Logits_of_double_precision_are_not_rounded_on_the_way()
    {
        using var single = Random(3);
        using var batch = new Batch(single.Input!.to(ScalarType.Float64), single.Labels!.alias());
        using var model = new Echo();
        using var own = new Echo(ownLoss: true);
        Assert.Equal(Metrics.Perplexity(own, [batch])["eval_loss"], Metrics.Perplexity(model, [batch])["eval_loss"], 1e-14);
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
        using var batch = Random(2);
        using var model = new Echo();
        model.train(training);
        Metrics.Perplexity(model, [batch]);
        Assert.False(model.TrainingInside);
        Assert.False(model.GradInside);
        Assert.Equal(training, model.training);
    }

    private static Batch Random(int rows)
    {
        const int classes = 11;
        using var generator = new Generator(7);
        return new Batch(randn([rows, 7, classes], generator: generator), randint(0, classes, [rows, 7], ScalarType.Int64, generator: generator));
    }

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
