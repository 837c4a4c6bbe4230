namespace LoraFhe.Models.Tests;

public sealed class LlamaEncryptionTests() : EncryptedModelTests("llama-gqa", layers: 14, products: 8);
