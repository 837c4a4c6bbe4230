namespace LoraFhe.Architecture.Tests;

public sealed class DependencyTests
{
    [Theory]
    [InlineData("LoraFhe.Cryptography")]
    [InlineData("LoraFhe.Cryptography.Client")]
    [InlineData("LoraFhe.Safetensors")]
    public void Nothing_that_LoraFhe_rests_on_refers_to_TorchSharp(string assembly) =>
        Assert.DoesNotContain("TorchSharp", LoraFheAssemblies.Closure(assembly));

    // The server links the public half and the reader of weights: what it cannot refer to, it cannot call.
    [Theory]
    [InlineData("LoraFhe.Cryptography")]
    [InlineData("LoraFhe.Safetensors")]
    public void What_a_server_links_cannot_decrypt(string assembly) =>
        Assert.DoesNotContain("LoraFhe.Cryptography.Client", LoraFheAssemblies.Closure(assembly));

    [Theory]
    [InlineData("LoraFhe.Cryptography")]
    [InlineData("LoraFhe.Cryptography.Client")]
    [InlineData("LoraFhe.Safetensors")]
    public void The_lower_rooms_need_the_base_library_only(string assembly) =>
        Assert.DoesNotContain(LoraFheAssemblies.Closure(assembly), name =>
            !name.StartsWith("System", StringComparison.Ordinal)
            && !name.StartsWith("LoraFhe.", StringComparison.Ordinal)
            && name != "Microsoft.Win32.Primitives");

    [Fact]
    public void Serilog_is_named_by_the_logger_setup_alone()
    {
        foreach (var name in LoraFheAssemblies.Names.Where(n => n != "LoraFhe"))
        {
            Assert.DoesNotContain(LoraFheAssemblies.Load(name).GetReferencedAssemblies(), r => r.Name!.StartsWith("Serilog", StringComparison.Ordinal));
        }

        var files = SourceFiles.Below("src").Where(f => File.ReadAllText(f).Contains("Serilog", StringComparison.Ordinal)).Select(Path.GetFileName);
        Assert.Equal(["Lora.Training.cs"], files);
    }
}
