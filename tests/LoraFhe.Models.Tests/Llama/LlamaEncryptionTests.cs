namespace LoraFhe.Models.Tests;

public sealed class LlamaEncryptionTests() : EncryptedModelTests("llama-gqa", 14);
