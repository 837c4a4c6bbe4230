namespace LoraFhe.Models.Tests;

public sealed class Gpt2EncryptionTests() : EncryptedModelTests("gpt2-base", layers: 8, products: 8);
