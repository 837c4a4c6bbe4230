using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>What a training step of SmolLM2-135M sends: its 30 layers, each width a sixteenth.</summary>
public sealed class LlamaTrafficTests
{
    private const int Layers = 30;
    private const int Hidden = 36;
    private const int KeyValue = 12;
    private const int Inner = 96;
    private const int Tokens = 64;
    private const int Header = 64;

    private const string Config = """
        {
          "model_type": "llama", "hidden_size": 36, "intermediate_size": 96, "num_attention_heads": 9, "num_key_value_heads": 3,
          "num_hidden_layers": 30, "vocab_size": 64, "max_position_embeddings": 128, "tie_word_embeddings": true, "hidden_act": "silu"
        }
        """;

    [Fact]
    public void A_step_sends_each_input_once_and_gets_each_gradient_once()
    {
        using var scope = NewDisposeScope();
        using var model = new LlamaForCausalLM(LlamaConfig.Parse(Config));
        using var lora = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear, TaskType = TaskType.CausalLm });
        using var optimizer = optim.SGD(lora.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(lora, optimizer, logger: NullLogger.Instance);
        var ids = arange(Tokens, int64).reshape(1, Tokens);
        var batch = new Batch([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
        trainer.Compile(batch, cancellationToken: TestContext.Current.CancellationToken);

        trainer.Train([batch], 1, HybridFheMode.Execute, cancellationToken: TestContext.Current.CancellationToken);

        // Of 14 calls a layer 8 are left. The embedding below the first layer is frozen: no gradient of its q, k and v is asked for.
        var traffic = trainer.HybridModel.Backend.Traffic;
        Assert.Equal((Layers * 8) - 1, traffic.Calls);
        const int outputs = Hidden + (2 * KeyValue) + Hidden + (2 * Inner) + Hidden;
        const int inputs = Hidden + Hidden + Hidden + Inner;
        const int unasked = Hidden + (2 * KeyValue);
        Assert.Equal(Words((Layers * (inputs + outputs)) - unasked), traffic.BytesUp);
        Assert.Equal(Words((Layers * (outputs + inputs)) - Hidden), traffic.BytesDown);
        Assert.Equal(
            ["model.layers.0.self_attn.q_proj+k_proj+v_proj", "model.layers.0.self_attn.o_proj", "model.layers.0.mlp.gate_proj+up_proj", "model.layers.0.mlp.down_proj"],
            trainer.HybridModel.Layers.Take(4).Select(layer => layer.Weights.Name));

        // One layer after the other they would be as many words up and down as this, a sixth more.
        const int apart = (3 * Hidden) + Hidden + (2 * Hidden) + Inner;
        Assert.InRange(traffic.BytesUp / (double)Words((Layers * (apart + outputs)) - unasked), 0.82, 0.84);

        long Words(long features) => (traffic.Calls * Header) + (4L * Tokens * features);
    }
}
