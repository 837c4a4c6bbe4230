using LoraFhe.Models;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Benchmarks;

/// <summary>A few steps of a model as wide as SmolLM2-135M, with random weights and fewer layers: how high memory rises.</summary>
internal static class WideRun
{
    private const int Tokens = 512;

    // SmolLM2-135M has 30 layers and 49152 tokens: its head and embedding, which are never encrypted, would hide what is compared.
    private const string Config = """
        {
          "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
          "num_hidden_layers": 4, "vocab_size": 8192, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 100000.0,
          "tie_word_embeddings": true, "hidden_act": "silu"
        }
        """;

    /// <summary>Trains, and reads the peak.</summary>
    public static PeakRow Measure(HybridFheMode mode, int steps, bool mapsHints)
    {
        var folder = mapsHints ? Directory.CreateTempSubdirectory("lorafhe-hints-") : null;
        try
        {
            using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder?.FullName });
            return Measure(mode, steps, backend, mapsHints);
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }

    private static PeakRow Measure(HybridFheMode mode, int steps, InProcessFheBackend backend, bool mapsHints)
    {
        random.manual_seed(1);
        var llama = new LlamaForCausalLM(LlamaConfig.Parse(Config));
        using var lora = LoraModel.Apply(llama, new LoraConfig { R = 8, LoraAlpha = 16, TargetModules = TargetModules.AllLinear, TaskType = TaskType.CausalLm });
        using var optimizer = optim.AdamW(lora.TrainableParameters(), 1e-3);
        using var trainer = new LoraTrainer(lora, optimizer, loggingSteps: steps + 1, backend: backend, logger: NullLogger.Instance);
        using var ids = randint(0, llama.VocabularySize, [1, Tokens], int64);
        var batch = new Batch([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
        if (mode != HybridFheMode.Torch)
        {
            trainer.Compile(batch);
        }

        var (warm, allocated, most) = (0L, 0L, 0L);
        trainer.Train(Enumerable.Repeat(batch, steps), 1, mode, progress: new StepProgress(step =>
        {
            (warm, allocated) = step == 1 ? (GC.GetTotalAllocatedBytes(precise: true), 0) : (warm, GC.GetTotalAllocatedBytes(precise: true) - warm);
            most = Math.Max(most, ProcessMemory.Read().Private);
        }));
        var hints = HintMemory.BytesOf(trainer.HybridModel.Layers, mode);
        return new PeakRow(
            mode.ToPythonName(), ProcessMemory.Read().Peak, most, mapsHints ? 0 : hints, mapsHints ? hints : 0, allocated / (double)(steps - 1));
    }
}
