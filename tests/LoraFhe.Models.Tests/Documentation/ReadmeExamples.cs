using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>The README's examples beyond the first, compiled here; <see cref="ReadmeTests"/> holds the README to them.</summary>
internal static class ReadmeExamples
{
    public static void LanguageModel()
    {
        #region language-model
        var stop = CancellationToken.None;                                                 // or one that Ctrl-C cancels, as in samples/02_FineTuneText
        var tokenizer = PretrainedTokenizer.FromPretrained("models/tiny-austen");
        using var model = CausalLanguageModel.FromPretrained("models/tiny-austen");       // any Llama or GPT-2 folder of Hugging Face's
        var lora = LoraModel.Apply(model, new LoraConfig { R = 8, LoraAlpha = 16, TargetModules = TargetModules.AllLinear });
        var (training, heldOut) = TextDataset.SplitTextLines("models/text/kjv-proverbs.txt", tokenizer, blockLength: 128);

        using var optimizer = optim.AdamW(lora.TrainableParameters(), 3e-3);
        using var trainer = new LoraTrainer(
            lora, optimizer, checkpointDir: "checkpoints", evalLoader: heldOut.Loader(4), evalMetricFn: Metrics.Perplexity, evalSteps: 50);
        trainer.Compile(training.First(4), nBits: 8, cancellationToken: stop);                   // resumes, if there is a checkpoint
        trainer.Train(training.Loader(batchSize: 4, seed: 1), numEpochs: 3, fhe: HybridFheMode.Execute, cancellationToken: stop);

        lora.SavePretrained("adapter");                                                    // PeftModel.from_pretrained reads it
        Console.WriteLine(model.Generate(tokenizer, "My son,", cancellationToken: stop));
        #endregion
    }

    public static string Chat(PretrainedTokenizer tokenizer)
    {
        #region chat
        string prompt = tokenizer.ApplyChatTemplate([new ChatMessage("user", "What is LoRA?")], addGenerationPrompt: true);
        #endregion
        return prompt;
    }
}
