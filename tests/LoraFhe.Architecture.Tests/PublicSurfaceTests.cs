using LoraFhe.Fixtures;

namespace LoraFhe.Architecture.Tests;

/// <summary>The public surface is a file under review: a change of it is a change of that file.</summary>
public sealed class PublicSurfaceTests
{
    [Theory]
    [InlineData("LoraFhe.Cryptography")]
    [InlineData("LoraFhe.Cryptography.Client")]
    [InlineData("LoraFhe.Safetensors")]
    [InlineData("LoraFhe")]
    [InlineData("LoraFhe.Models")]
    public void The_public_surface_is_the_approved_one(string assembly)
    {
        var approved = RepositoryFolder.At("tests", "LoraFhe.Architecture.Tests", "PublicSurface", assembly + ".txt");
        var found = PublicSurface.Of(LoraFheAssemblies.Load(assembly));
        if (File.Exists(approved) && File.ReadAllText(approved) == found)
        {
            return;
        }

        var received = Path.Combine(AppContext.BaseDirectory, assembly + ".received.txt");
        File.WriteAllText(received, found);
        Assert.Fail($"The public surface of {assembly} changed. If that is meant, copy '{received}' over '{approved}'.");
    }
}
