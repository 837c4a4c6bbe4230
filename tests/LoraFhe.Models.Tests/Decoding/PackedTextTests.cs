using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Texts that share a row compute what each computes alone.</summary>
public sealed class PackedTextTests
{
    private static readonly int[][] Texts = [[9, 8, 7, 3, 4], [5, 6, 1], [2, 7, 11, 12, 13, 14, 3], [8, 9]];

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void Packed_logits_are_those_of_each_text_alone(string family)
    {
        using var scope = NewDisposeScope();
        using var small = new SmallModel(family);
        var model = (CausalLanguageModel)small.Model.Model;
        model.eval();
        var packed = Dataset().Pack(10);
        using var batch = packed.First(packed.Count);
        var logits = model.call(batch["input_ids"], null, null, batch["position_ids"]).Logits!;

        var found = 0;
        for (var row = 0; row < packed.Count; row++)
        {
            foreach (var (start, ids) in TextsOf(packed.Examples[row]))
            {
                var alone = model.call(tensor(ids, [1, ids.Length], ScalarType.Int64), null, null).Logits!;
                Close.Within(2e-5, alone[0], logits[row].narrow(0, start, ids.Length), $"row {row} from {start}");
                found++;
            }
        }

        Assert.Equal(Texts.Length, found);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void Packed_loss_and_gradients_are_those_of_a_padded_batch(string family)
    {
        var padded = Gradients(family, Dataset());
        var packed = Gradients(family, Dataset().Pack(10));
        Assert.Equal(padded.Loss, packed.Loss, 1e-5);
        Assert.NotEmpty(padded.Gradients);
        foreach (var (name, expected) in padded.Gradients)
        {
            Assert.All(expected.Zip(packed.Gradients[name]), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Fact]
    public void A_text_does_not_see_the_one_before_it()
    {
        using var scope = NewDisposeScope();
        using var small = new SmallModel("llama");
        var model = (CausalLanguageModel)small.Model.Model;
        model.eval();
        var positions = tensor(new long[] { 0, 1, 2, 0, 1 }, [1, 5]);
        var one = model.call(tensor(new long[] { 9, 8, 7, 3, 4 }, [1, 5]), null, null, positions).Logits!;
        var other = model.call(tensor(new long[] { 1, 2, 5, 3, 4 }, [1, 5]), null, null, positions).Logits!;
        Assert.True(one[0].narrow(0, 3, 2).Equals(other[0].narrow(0, 3, 2)));
        Assert.False(one[0].narrow(0, 0, 3).Equals(other[0].narrow(0, 0, 3)));

        // With a mask positions are positions and nothing else, as in transformers.
        var masked = model.call(tensor(new long[] { 9, 8, 7, 3, 4 }, [1, 5]), ones(1, 5, ScalarType.Int64), null, positions).Logits!;
        Assert.False(one[0].narrow(0, 3, 2).allclose(masked[0].narrow(0, 3, 2)));
    }

    [Fact]
    public void One_row_of_positions_parts_all_rows()
    {
        using var scope = NewDisposeScope();
        using var small = new SmallModel("gpt2");
        var model = (CausalLanguageModel)small.Model.Model;
        model.eval();
        var ids = tensor(new long[] { 9, 8, 7, 3, 1, 2, 5, 6 }, [2, 4]);
        var row = tensor(new long[] { 0, 1, 0, 1 }, [1, 4]);
        Close.Within(0, model.call(ids, null, null, row.expand(2, 4)).Logits!, model.call(ids, null, null, row).Logits!, "logits");
    }

    private static TextDataset Dataset() => new([.. Texts.Select(ids => new TextExample(ids, ids))], paddingId: 0);

    private static IEnumerable<(int Start, long[] Ids)> TextsOf(TextExample block)
    {
        var starts = Enumerable.Range(0, block.InputIds.Length).Where(i => block.PositionIds.Span[i] == 0).Append(block.InputIds.Length).ToList();
        return starts.Zip(starts.Skip(1), (start, end) => (start, block.InputIds[start..end].ToArray().Select(id => (long)id).ToArray()));
    }

    private static (double Loss, Dictionary<string, float[]> Gradients) Gradients(string family, TextDataset dataset)
    {
        using var small = new SmallModel(family);
        using var training = new LoraTraining(small.Model);
        using var batch = dataset.First(dataset.Count);
        using var scope = NewDisposeScope();
        training.eval();
        var loss = training.call(batch).Loss.item<float>();
        return (loss, small.Model.TrainableParameters().Select((parameter, i) => (Name: $"{i}", parameter.grad))
            .ToDictionary(entry => entry.Name, entry => entry.grad!.data<float>().ToArray()));
    }
}
