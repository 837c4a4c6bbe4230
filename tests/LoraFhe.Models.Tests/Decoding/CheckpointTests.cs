using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>What a file must hold is known before a model is made, and is what the model then has.</summary>
public sealed class CheckpointTests
{
    public static TheoryData<string> All =>
        [.. Directory.EnumerateDirectories(RepositoryFolder.Fixture("models")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(All))]
    public void The_tensors_a_file_must_hold_are_the_parameters_with_their_shapes(string name)
    {
        var folder = RepositoryFolder.Fixture("models", name);
        using PretrainedModel model = name.EndsWith("seqcls", StringComparison.Ordinal)
            ? SequenceClassifier.FromPretrained(folder)
            : CausalLanguageModel.FromPretrained(folder);
        var checkpoint = model switch
        {
            Gpt2LMHeadModel gpt2 => Gpt2Tensors.Causal(gpt2.Config),
            Gpt2ForSequenceClassification gpt2 => Gpt2Tensors.Classifier(gpt2.Config),
            LlamaForCausalLM llama => LlamaTensors.Causal(llama.Config),
            LlamaForSequenceClassification llama => LlamaTensors.Classifier(llama.Config),
            _ => throw new NotSupportedException(name),
        };

        Assert.Equal(
            model.named_parameters().Select(entry => (entry.name, string.Join(",", entry.parameter.shape))).Order(),
            checkpoint.Tensors.Select(tensor => (tensor.Name, string.Join(",", tensor.Shape))).Order());
    }
}
