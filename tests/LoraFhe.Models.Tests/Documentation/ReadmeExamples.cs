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

    public static void Adapters(CausalLanguageModel model)
    {
        #region adapters
        var lora = LoraModel.FromPretrained(model, "adapter", isTrainable: true);         // for use alone: without isTrainable
        lora.MergeAndUnload();                                                            // the model has the adapter in its weights
        #endregion
    }

    public static (LoraModel Model, Batch Batch) Classifier(PretrainedTokenizer tokenizer, Tensor ids, Tensor mask, Tensor labels)
    {
        #region classifier
        using var classifier = SequenceClassifier.FromPretrained("models/tiny-austen", labelCount: 2, seed: 1);
        classifier.PadTokenId ??= tokenizer.PadTokenId ?? tokenizer.EosTokenId;           // a text ends before its padding
        var lora = LoraModel.Apply(classifier, new LoraConfig { TaskType = TaskType.SeqCls, TargetModules = TargetModules.AllLinear });
        Batch batch = new Dictionary<string, Tensor> { ["input_ids"] = ids, ["attention_mask"] = mask, ["labels"] = labels };
        #endregion
        return (lora, batch);
    }

    public static void Chat(PretrainedTokenizer tokenizer, CausalLanguageModel model)
    {
        #region chat
        var prompt = tokenizer.EncodeChat([new ChatMessage("user", "What is LoRA?")], addGenerationPrompt: true);
        Console.WriteLine(tokenizer.Decode(model.Generate(prompt, new GenerationOptions { MaxNewTokens = 100 })));
        #endregion
    }
}
