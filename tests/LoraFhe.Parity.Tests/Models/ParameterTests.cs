using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Models;

/// <summary>Which parameters a loaded model has, and what is in them: whichever way the folder stores them.</summary>
public sealed class ParameterTests
{
    [Theory]
    [Recorded("models")]
    public void Names_come_in_the_order_of_transformers_and_each_counts_once(string name)
    {
        using var golden = Golden.Open("models/" + name);
        using var model = RecordedModel.Load(golden);

        var parameters = model.named_parameters().ToList();

        Assert.Equal(golden.Expected["parameter_names"].AsStrings, parameters.Select(entry => entry.name));
        Assert.Equal(golden.Expected["num_parameters"].AsInt64, parameters.Sum(entry => entry.parameter.numel()));
    }

    [Theory]
    [Recorded("models", "generation")]
    public void A_tied_head_is_the_embedding(string name)
    {
        using var recorded = RecordedModel.Open(name);
        var embedding = recorded.Model.parameters().First();
        using (no_grad())
        {
            embedding.zero_();
        }

        var head = recorded.Model.OutputEmbeddings.parameters().Single();

        Assert.Equal(recorded.Golden.Expected["tied"].AsBoolean, head.abs().max().item<float>() == 0);
    }

    [Theory]
    [Recorded("models")]
    public void Files_hold_the_tensors_that_were_written(string name)
    {
        using var golden = Golden.Open("models/" + name);
        foreach (var (file, content) in golden.Expected["weight_files"].Members)
        {
            var tensors = golden.Tensors(file);

            Assert.Equal(content["metadata"].Members.Select(entry => (entry.Name, entry.Value.AsString)), tensors.Metadata.Select(entry => (entry.Key, entry.Value)));
            Assert.Equal(
                content["tensors"].Members.Select(entry => (entry.Name, entry.Value["dtype"].AsString, string.Join(",", entry.Value["shape"].AsInt64s))).Order(),
                tensors.Entries.Select(entry => (entry.Name, entry.DType.ToString(), string.Join(",", entry.Shape))).Order());
        }
    }

    [Theory]
    [Recorded("models", "weights_equal_to")]
    public void The_same_weights_in_another_folder_are_the_same_parameters(string name)
    {
        using var one = RecordedModel.Open(name);
        using var other = RecordedModel.Open(one.Golden.Expected["weights_equal_to"].AsString);

        Assert.All(one.Model.named_parameters().Zip(other.Model.named_parameters()), pair =>
        {
            Assert.Equal(pair.First.name, pair.Second.name);
            Assert.True(pair.First.parameter.Equals(pair.Second.parameter), pair.First.name);
        });
    }

    [Theory]
    [Recorded("models", "saved_dtype!=float32")]
    public void Half_precision_weights_are_widened_exactly(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = RecordedModel.Open(name);
        var stored = recorded.Golden.Expected["saved_dtype"].AsString == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float16;

        Assert.All(recorded.Model.named_parameters(), entry =>
        {
            Assert.Equal(ScalarType.Float32, entry.parameter.dtype);
            Assert.True(entry.parameter.to(stored).to(float32).Equals(entry.parameter), entry.name);
        });
    }
}
