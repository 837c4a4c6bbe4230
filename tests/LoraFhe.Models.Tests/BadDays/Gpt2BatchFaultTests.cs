namespace LoraFhe.Models.Tests;

public sealed class Gpt2BatchFaultTests() : ModelBatchFaultTests("gpt2-base");
