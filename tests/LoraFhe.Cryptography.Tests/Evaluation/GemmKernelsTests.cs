namespace LoraFhe.Cryptography.Tests;

public sealed class GemmKernelsTests
{
    [Fact]
    public void The_portable_kernels_run_on_every_machine()
    {
        var names = GemmKernels.Available().Select(kernel => kernel.Name).ToArray();
        Assert.Contains("Portable256", names);
        Assert.Contains("Portable128", names);
        Assert.Contains("Portable512", names);
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void The_chosen_kernel_is_the_first_available_one_and_is_named() =>
        Assert.Equal(GemmKernels.Available()[0].Name, LinearEvaluator.KernelName);

    [Fact]
    public void A_kernel_that_miscomputes_is_passed_over()
    {
        var right = GemmKernels.Available()[^1];
        Assert.False(KernelCheck.Passes(new WrongKernel(right)));
        var choice = GemmKernels.Choose([new WrongKernel(right), right]);
        Assert.Same(right, choice.Kernel);
        Assert.Equal(["Wrong"], choice.Rejected);
    }

    [Fact]
    public void Without_a_right_kernel_nothing_is_computed_and_those_tried_are_named() =>
        Assert.Contains("Wrong", Assert.Throws<InvalidOperationException>(() => GemmKernels.Choose([new WrongKernel(GemmKernels.Available()[0])])).Message);

    [Fact]
    public void Every_kernel_of_this_machine_computes_rightly() => Assert.Empty(GemmKernels.Choice.Rejected);

    /// <summary>Gets the last output of the last token wrong by one, and only in products of more than 500 inputs.</summary>
    private sealed class WrongKernel(IntegerGemm inner) : IntegerGemm
    {
        public override string Name => "Wrong";

        public override int PanelOutputs => inner.PanelOutputs;

        public override int StrassenInputs => inner.StrassenInputs;

        public override PackedWeights Pack(QuantizedLayer layer, LayerDirection direction, int maxThreads) => inner.Pack(layer, direction, maxThreads);

        public override unsafe void Multiply(PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken)
        {
            inner.Multiply(weights, source, target, maxThreads, cancellationToken);
            if (weights.Inputs > 500)
            {
                *target.At((target.Features - 1) / FeatureBlocks.Width, target.Tokens - 1) ^= 1;
            }
        }
    }
}
