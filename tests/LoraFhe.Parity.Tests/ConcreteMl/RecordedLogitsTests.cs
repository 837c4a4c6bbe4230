using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The first answers of the models that the reference was run on.</summary>
public sealed class RecordedLogitsTests
{
    private const double Tolerance = 1e-5;

    [Theory]
    [Recorded(RecordedCases.ConcreteModels)]
    public void The_adapted_model_answers_as_recorded(string name)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        using var recorded = new RecordedRun(name + "/torch_skip1_" + (name == "mlp" ? "ce_sgd" : "sgd"));

        var batch = recorded.TrainBatches[0];
        var (expected, logits) = (recorded.Tensor("forward", "logits.train.0"), new ModelInvoker(recorded.Model).Invoke(batch).Logits!);

        // What a position of padding answers, which sees nothing, is nobody's: no loss counts it, and no other position sees it.
        if (batch.ContainsKey("attention_mask"))
        {
            Close.Where(batch["attention_mask"], Tolerance, expected, logits, name);
        }
        else
        {
            Close.Within(Tolerance, expected, logits, name);
        }
    }

    // Its frozen layers are not needed as a file: so large a model is made anew from its seed.
    [Fact]
    public void The_wide_models_frozen_layers_are_what_its_seed_gives_in_PyTorch_and_here()
    {
        using var golden = Golden.Open("concrete-ml/glwe");
        manual_seed(golden.Json("case.json")["seed"].AsInt32);
        using var model = RecordedModel.Adapted(golden.Json("case.json"));
        Assert.All(model.named_parameters().Where(entry => !entry.parameter.requires_grad), entry =>
            Assert.Equal(golden.Singles("init", entry.name).Values, entry.parameter.data<float>().ToArray()));
    }
}
