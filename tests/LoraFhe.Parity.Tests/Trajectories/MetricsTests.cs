using LoraFhe.Fixtures;
using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>What transformers makes of the losses of tokens, rows and batches: <see cref="Metrics"/> weighs tokens, and a window weighs as its <see cref="LossScaling"/> says.</summary>
public sealed class MetricsTests
{
    private const double Exact = 1e-9;
    private static readonly GoldenJson Recorded = Read();
    private static readonly double Tolerance = Recorded["tolerance_abs"].AsDouble;

    public static TheoryData<string> Cases => [.. Recorded["cases"].Members.Select(member => member.Name)];

    public static TheoryData<string> Models => [.. Recorded["trainer_eval"].Members.Select(member => member.Name)];

    [Fact]
    public void No_recorded_case_is_lost() => Assert.Equal((6, 2), (Cases.Count, Models.Count));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Means_and_counts_are_the_recorded_ones(string name)
    {
        using var scope = NewDisposeScope();
        var expected = Recorded["cases"][name];
        var batch = Labeled(name);
        var labels = batch.Labels!;
        var targets = TargetTokens.Count(labels, shifted: true);
        Assert.Equal(expected["targets_shifted"].AsInt64, targets);
        Assert.Equal(expected["labels_not_ignored_unshifted"].AsInt64, TargetTokens.Count(labels, shifted: false));

        var mean = Loss(batch);
        Assert.Equal(expected["token_mean_float64"].AsDouble, mean, Exact);
        Assert.Equal(expected["perplexity_token_mean_float64"].AsDouble, Perplexity(batch)["perplexity"], Exact);
        Assert.Equal(OrNaN(expected["next_token_accuracy"]), Accuracy(batch), Tolerance);

        // Without a target a mean is no number, and a sum is 0.
        var sum = targets == 0 ? 0 : mean * targets;
        Assert.Equal(expected["nll_sum_float64"].AsDouble, sum, Exact);
        Assert.Equal(expected["hf_num_items_100"].AsDouble, sum / 100, Tolerance);
        Assert.Equal(expected["hf_mean"].AsDouble, mean, Tolerance);
        if (targets > 0)
        {
            Assert.Equal(expected["hf_mean"].AsDouble, Weighed(LossScaling.Window, batch), Tolerance);
            Assert.Equal(expected["hf_num_items_shifted"].AsDouble, Weighed(LossScaling.Tokens, batch), Tolerance);
            Assert.Equal(expected["hf_num_items_unshifted"].AsDouble, Weighed(LossScaling.TokensUnshifted, batch), Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rows_have_the_recorded_means(string name)
    {
        using var scope = NewDisposeScope();
        var expected = Recorded["cases"][name];
        var whole = Labeled(name);
        var rows = Enumerable.Range(0, (int)whole.Labels!.shape[0]).Select(row => Rows(whole, row, 1)).ToList();

        Assert.Equal(expected["per_row_targets"].AsInt64s, rows.Select(row => TargetTokens.Count(row.Labels!, shifted: true)));
        Assert.All(expected["per_row_mean_float64"].Items.Zip(rows), pair => Assert.Equal(OrNaN(pair.First), Loss(pair.Second), Exact));
        var counted = rows.Where(row => TargetTokens.Count(row.Labels!, shifted: true) > 0).ToArray();
        Assert.Equal(OrNaN(expected["mean_of_row_means_float64"]), counted.Length == 0 ? double.NaN : Weighed(LossScaling.Window, counted), Exact);
    }

    [Fact]
    public void A_window_without_a_target_is_refused_where_tokens_are_counted()
    {
        using var scope = NewDisposeScope();
        foreach (var name in Recorded["cases"].Members.Where(member => member.Value["targets_shifted"].AsInt64 == 0).Select(member => member.Name))
        {
            Assert.Throws<ArgumentException>(() => Weighed(LossScaling.Tokens, Labeled(name)));
            Assert.Throws<ArgumentException>(() => Weighed(LossScaling.TokensUnshifted, Labeled(name)));
        }
    }

    [Fact]
    public void Batches_are_weighed_by_batches_rows_or_tokens_as_recorded()
    {
        using var scope = NewDisposeScope();
        var expected = Recorded["evaluation"];
        var whole = Labeled("masked");
        Batch[] batches = [Rows(whole, 0, 1), Rows(whole, 1, whole.Labels!.shape[0] - 1)];
        var means = Array.ConvertAll(batches, batch => Loss(batch));

        Assert.All(expected["batch_means"].AsDoubles.Zip(means), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        Assert.Equal(expected["batch_targets"].AsInt64s, batches.Select(batch => TargetTokens.Count(batch.Labels!, shifted: true)));
        Assert.Equal(expected["batch_rows"].AsInt64s, batches.Select(batch => batch.Labels!.shape[0]));
        var byRows = means.Zip(batches).Sum(pair => pair.First * pair.Second.Labels!.shape[0]) / whole.Labels.shape[0];
        AssertWithExponential("mean_of_batch_means", Weighed(LossScaling.Window, batches));
        AssertWithExponential("row_weighted", byRows);
        AssertWithExponential("token_weighted", Weighed(LossScaling.Tokens, batches));
        AssertWithExponential("token_weighted", Loss(batches));

        void AssertWithExponential(string convention, double loss)
        {
            Assert.Equal(expected[convention].AsDouble, loss, Tolerance);
            Assert.Equal(expected["perplexity_" + convention].AsDouble, Math.Exp(loss), Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Trainer_evaluates_by_the_recorded_convention_and_perplexity_by_tokens(string name)
    {
        using var scope = NewDisposeScope();
        var expected = Recorded["trainer_eval"][name];
        using var model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture(expected["base"].AsString.Split('/')));
        var batches = Evaluated(name, expected["batch_rows"].AsInt64s);
        var means = Array.ConvertAll(batches, batch => Metrics.Perplexity(model, [batch])["eval_loss"]);
        var targets = Array.ConvertAll(batches, batch => TargetTokens.Count(batch.Labels!, shifted: true));
        var labels = Array.ConvertAll(batches, batch => TargetTokens.Count(batch.Labels!, shifted: false));
        var rows = expected["batch_rows"].AsInt64s;

        Assert.Equal(expected["batch_targets_shifted"].AsInt64s, targets);
        Assert.Equal(expected["batch_labels_unshifted"].AsInt64s, labels);
        var sums = means.Zip(targets, (mean, count) => mean * count).ToArray();
        Assert.All(expected["batch_nll_sum"].AsDoubles.Zip(sums), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        var conventions = new Dictionary<string, double>
        {
            ["row_weighted_batch_means_shifted"] = means.Zip(rows, (mean, count) => mean * count).Sum() / rows.Sum(),
            ["row_weighted_batch_means_unshifted"] = sums.Zip(labels, rows).Sum(entry => entry.First / entry.Second * entry.Third) / rows.Sum(),
            ["token_weighted"] = Metrics.Perplexity(model, batches)["eval_loss"],
            ["mean_of_batch_means"] = means.Average(),
        };
        Assert.Equal(expected["conventions"].Members.Select(member => member.Name).Order(), conventions.Keys.Order());
        Assert.All(expected["conventions"].Members, member => Assert.Equal(member.Value.AsDouble, conventions[member.Name], Tolerance));
        Assert.Equal(expected["trainer_eval_loss"].AsDouble, conventions[expected["trainer_matches"].AsString], Tolerance);
    }

    private static double Weighed(LossScaling scaling, params Batch[] batches)
    {
        var window = new AccumulationWindow(new TrainingArguments { GradientAccumulationSteps = batches.Length, LossScaling = scaling });
        foreach (var batch in batches)
        {
            window.Add(batch);
            window.AddLoss(Loss(batch));
        }

        return window.Close().Loss;
    }

    private static double Loss(params Batch[] batches) => Perplexity(batches)["eval_loss"];

    private static IReadOnlyDictionary<string, double> Perplexity(params Batch[] batches)
    {
        using var model = new RecordedLogits();
        return Metrics.Perplexity(model, batches);
    }

    private static double Accuracy(Batch batch)
    {
        using var model = new RecordedLogits();
        return Metrics.Accuracy(model, [batch])["accuracy"];
    }

    // In double precision, as most of the numbers were recorded.
    private static Batch Labeled(string name)
    {
        using var golden = Golden.Open(".");
        return new Batch(golden.DoubleTensor("metrics", "logits"), golden.Int64Tensor("metrics", name + ".labels"));
    }

    private static Batch[] Evaluated(string name, long[] rows)
    {
        using var golden = Golden.Open(".");
        return [.. rows.Select((count, i) => new Batch(new[] { "input_ids", "attention_mask", "labels" }.Select(key =>
            KeyValuePair.Create(key, golden.Int64Tensor("metrics", $"eval.{name}.{key}").narrow(0, rows.Take(i).Sum(), count)))))];
    }

    private static Batch Rows(Batch batch, long first, long count) => new(batch.Input!.narrow(0, first, count), batch.Labels!.narrow(0, first, count));

    private static double OrNaN(GoldenJson number) => number.IsNull ? double.NaN : number.AsDouble;

    private static GoldenJson Read()
    {
        using var golden = Golden.Open(".");
        return golden.Json("metrics.json");
    }
}
