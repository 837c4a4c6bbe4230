using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Hints of a folder are mapped, so that the system may take their memory back, and are read again before they are needed.</summary>
public sealed class MappedHintTests
{
    // What waits for the disk fails after this long; nothing depends on it else.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Hints_of_a_folder_are_the_file_itself_and_no_copy()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.Path });
        using var hybrid = new HybridFixture(backend: backend);
        hybrid.Gradients(HybridFheMode.Execute);
        if (OperatingSystem.IsLinux())
        {
            foreach (var hint in folder.Names().Where(name => name.EndsWith(HintFile.Extension, StringComparison.Ordinal)))
            {
                var (_, length, how) = Assert.Single(PageCache.Mappings(folder.At(hint)));
                Assert.Equal("r--s", how);
                Assert.Equal(new FileInfo(folder.At(hint)).Length, length);
            }
        }
    }

    [Fact]
    public void A_hint_that_lost_its_memory_is_read_again_while_the_product_before_it_is_computed()
    {
        using var folder = new TemporaryFolder();
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.Path });
        FheLayer[] layers = [Layer("first"), Layer("second"), Layer("third")];
        backend.Prepare(layers, progress: null, TestContext.Current.CancellationToken);
        for (var step = 0; step < 2; step++)
        {
            Array.ForEach(layers, layer => Multiply(backend, layer));
        }

        var (second, third) = (folder.At("second.forward.hint"), folder.At("third.forward.hint"));
        if (!OperatingSystem.IsLinux() || !CanEvict(second) || !CanEvict(third))
        {
            return;
        }

        Multiply(backend, layers[0]);

        Assert.True(SpinWait.SpinUntil(() => PageCache.Holds(second), Patience));
        Assert.False(PageCache.Holds(third));
        Multiply(backend, layers[1]);
        Assert.True(SpinWait.SpinUntil(() => PageCache.Holds(third), Patience));
    }

    [Fact]
    public void Nothing_is_read_ahead_that_is_in_memory()
    {
        using var folder = new TemporaryFolder();
        var layer = Layer("only").Weights;
        using var matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), layer.InFeatures, TestContext.Current.CancellationToken);
        using var inMemory = Hint.Make(layer, LayerDirection.Forward, matrix, cancellationToken: TestContext.Current.CancellationToken);
        Assert.False(inMemory.ReadAhead());
        using var mapped = new HintStore(folder.Path).GetOrMake(layer, LayerDirection.Forward, matrix, cancellationToken: TestContext.Current.CancellationToken);
        Assert.False(mapped.ReadAhead());
        if (OperatingSystem.IsLinux() && CanEvict(folder.At("only.forward.hint")))
        {
            Assert.True(mapped.ReadAhead());
            Assert.True(SpinWait.SpinUntil(() => PageCache.Holds(folder.At("only.forward.hint")), Patience));
            Assert.False(mapped.ReadAhead());
        }

        mapped.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapped.ReadAhead());
    }

    // On a file system in memory nothing can be lost.
    private static bool CanEvict(string path)
    {
        PageCache.Evict(path);
        return !PageCache.Holds(path);
    }

    private static FheLayer Layer(string name)
    {
        var codes = new short[700 * 40];
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = (short)((i * 31 % 255) - 127);
        }

        return new FheLayer(QuantizedLayer.Create("tests", name, 8, 700, 40, codes, [.. Enumerable.Repeat(0.01f, 700)])) { NeedsBackward = false };
    }

    private static void Multiply(InProcessFheBackend backend, FheLayer layer) =>
        backend.Multiply(new LayerId(layer.Weights.Name, LayerDirection.Forward), [.. Enumerable.Repeat(0.5f, 2 * 40)], 2, new float[2 * 700]);
}
