namespace LoraFhe.Benchmarks.Tests;

public sealed class StepPredictionTests
{
    [Fact]
    public void Constants_are_found_again_in_steps_that_were_made_of_them()
    {
        var constants = MadeUpReport.Create().Constants;

        Assert.Equal(MadeUpReport.LogitNanoseconds, constants.LogitNanoseconds, 1e-9);
        Assert.Equal(MadeUpReport.ElementNanoseconds, constants.ElementNanoseconds, 1e-9);
        Assert.Equal((MadeUpReport.TorchGmacs, 60, 2, 1), (Math.Round(constants.TorchGmacs, 9), Math.Round(constants.ServerGmacs, 9), Math.Round(constants.EncryptNanoseconds, 9), Math.Round(constants.DecryptNanoseconds, 9)));
    }

    [Fact]
    public void Calls_and_traffic_are_what_a_real_step_has()
    {
        const string config = """
            {
              "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2,
              "num_hidden_layers": 2, "vocab_size": 128, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
              "tie_word_embeddings": true, "hidden_act": "silu"
            }
            """;
        var shape = new TransformerShape("small", Hidden: 64, Inner: 96, KeyValue: 32, Layers: 2, Vocabulary: 128);
        var plan = new StepPlan(new StepModel("small", "small", config, Folder: null), Batch: 2, Tokens: 64, Threads: 1, Seconds: 0, Modes: ["execute"]);

        var traffic = StepPairs.Run(plan).Traffic;

        var constants = MadeUpReport.Create().Constants;
        var predicted = StepPrediction.Of(shape, plan.Tokens, constants);
        Assert.Equal((predicted.Calls, predicted.BytesUp, predicted.BytesDown), (traffic.Calls, traffic.BytesUp, traffic.BytesDown));
        Assert.Equal(plan.Tokens * shape.MultiplyAdds, traffic.ServerMultiplyAdds);
    }
}
