namespace LoraFhe.Models.Tests;

public sealed class LlamaBatchFaultTests() : ModelBatchFaultTests("llama-gqa");
