using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

public sealed class BatchTests
{
    [Fact]
    public void A_pair_becomes_x_and_labels()
    {
        using Batch batch = (ones(2, 3), zeros(2));
        Assert.Equal(["x", "labels"], batch.Keys);
        Assert.Equal([2L, 3L], batch.Input!.shape);
        Assert.Equal([2L], batch.Labels!.shape);
        Assert.Null(batch.AttentionMask);
    }

    [Fact]
    public void A_pair_without_labels_has_none()
    {
        using Batch batch = (ones(1), null);
        Assert.Null(batch.Labels);
        Assert.Single(batch);
    }

    [Fact]
    public void What_a_TorchSharp_dataset_yields_is_a_batch_and_its_label_the_labels()
    {
        using Batch batch = new Dictionary<string, Tensor> { ["label"] = zeros(2), ["data"] = ones(2, 3) };
        Assert.Same(batch["data"], batch.Input);
        Assert.Same(batch["label"], batch.Labels);
    }

    [Fact]
    public void Names_are_compared_without_case_and_underscores()
    {
        using var batch = new Batch(new Dictionary<string, Tensor> { ["input_ids"] = ones(1) });
        Assert.True(batch.ContainsKey("inputIds"));
        Assert.True(batch.TryGetValue("InputIds", out _));
        Assert.False(batch.ContainsKey("input"));
    }

    [Fact]
    public void A_name_that_is_not_there_is_told_with_those_that_are()
    {
        using var batch = new Batch(ones(1), ones(1));
        Assert.Equal("The batch has no tensor named 'left'; it has 'x', 'labels'.", Assert.Throws<KeyNotFoundException>(() => batch["left"]).Message);
        Assert.Equal("The batch has no tensor named 'x'; it has none.", Assert.Throws<KeyNotFoundException>(() => new Batch([])["x"]).Message);
    }

    [Fact]
    public void Two_names_that_differ_in_case_only_are_refused()
    {
        using var tensor = ones(1);
        var error = Assert.Throws<ArgumentException>(() => new Batch([new("inputIds", tensor), new("input_ids", tensor)]));
        Assert.Contains("'input_ids'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'x' is null", Assert.Throws<ArgumentException>(() => new Batch([new("x", null!)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_moved_to_a_device_may_be_disposed_without_touching_the_first()
    {
        using Batch batch = (ones(2), zeros(2));
        batch.To(CPU).Dispose();
        Assert.Equal(2.0, batch["x"].sum().item<float>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_list_that_is_no_pair_is_refused(int count)
    {
        using var tensor = ones(1);
        var error = Assert.Throws<ArgumentException>(() => Batch.FromList([.. Enumerable.Repeat(tensor, count)]));
        Assert.Contains("must have two elements (data, labels)", error.Message, StringComparison.Ordinal);
    }
}
