using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Exceptions that the documentation of hybrid execution's members names.</summary>
public sealed class DocumentedExceptionTests
{
    [Fact]
    public void A_row_of_another_width_is_an_ArgumentException_in_every_mode()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(skip: 1);
        foreach (var mode in Enum.GetValues<HybridFheMode>())
        {
            hybrid.Hybrid.Mode = mode;
            foreach (var module in hybrid.Hybrid.RemoteModules)
            {
                Assert.Throws<ArgumentException>(() => module.call(ones(3, 4)));
                Assert.Throws<ArgumentException>(() => module.call(tensor(1f)));
            }
        }
    }

    [Fact]
    public void Either_half_checks_its_weight_and_its_input()
    {
        using var scope = NewDisposeScope();
        using var forward = new ForwardModuleLinear(ones(7, 4), ones(7));
        using var backward = new BackwardModuleLinear(ones(4, 7), weightTransposed: true);
        Assert.Equal([2, 3, 7], forward.call(ones(2, 3, 4)).shape);
        Assert.Equal([2, 3, 4], backward.call(ones(2, 3, 7)).shape);

        Assert.Throws<ArgumentException>(() => forward.call(ones(2, 7)));
        Assert.Throws<ArgumentException>(() => backward.call(ones(2, 4)));
        Assert.Throws<ArgumentException>("weight", () => new ForwardModuleLinear(ones(7)));
        Assert.Throws<ArgumentException>("bias", () => new ForwardModuleLinear(ones(7, 4), ones(4)));
        Assert.Throws<ArgumentException>("weight", () => new BackwardModuleLinear(ones(7, 4, 2)));
    }

    [Fact]
    public void A_module_of_other_inputs_cannot_be_remote()
    {
        using var scope = NewDisposeScope();
        using var holder = new Pairing();

        var error = Assert.Throws<ArgumentException>(() => new HybridFheModel(holder, ["pair"]));

        Assert.StartsWith("Module 'pair' is a 'Bilinear'; only a module from one tensor to one tensor can be remote.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_deployment_that_cannot_be_written_clears_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture();
        File.WriteAllText(folder.At("taken"), "");

        Assert.ThrowsAny<IOException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("taken")));

        Assert.True(hybrid.Hybrid.IsCompiled);
        hybrid.Output(HybridFheMode.Execute);
    }

    [Fact]
    public void A_hint_folder_that_cannot_be_made_is_an_IOException()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("taken"), "");
        Assert.ThrowsAny<IOException>(() => new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.At("taken") }));
    }

    private sealed class Pairing : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor, Tensor> pair = nn.Bilinear(2, 2, 2);

        public Pairing()
            : base(nameof(Pairing)) => RegisterComponents();

        public override Tensor forward(Tensor x) => pair.call(x, x);
    }
}
