using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A machine on which a kernel miscomputes.</summary>
public sealed class KernelFallbackTests
{
    private static readonly IntegerGemm Evaluation = GemmKernels.Choice.Kernel;
    private static readonly ClientKernel Client = ClientKernels.Choice.Kernel;

    [Fact]
    public void A_kernel_that_miscomputes_is_passed_over_with_a_warning_each_and_the_products_are_right()
    {
        using var scope = NewDisposeScope();
        var kernels = new FheKernels(
            GemmKernels.Choose([new WrongEvaluation("Odd"), new WrongEvaluation("Odder"), Evaluation]), ClientKernels.Choose([new WrongClient("Strange"), Client]));
        using var hybrid = new HybridFixture(backend: Backend(kernels));
        hybrid.Hybrid.PrepareExecute(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(
            [
                $"The Odd kernel of the evaluation half failed its check at start-up: this machine miscomputes it. {Evaluation.Name} is used instead: right, but slower. Report the processor, and what it runs under.",
                $"The Odder kernel of the evaluation half failed its check at start-up: this machine miscomputes it. {Evaluation.Name} is used instead: right, but slower. Report the processor, and what it runs under.",
                $"The Strange kernel of the client half failed its check at start-up: this machine miscomputes it. {Client.Name} is used instead: right, but slower. Report the processor, and what it runs under.",
            ],
            hybrid.Logger.Lines);
        Assert.All(hybrid.Logger.Kinds, kind => Assert.Equal((LogLevel.Warning, 2002), kind));
        foreach (var (expected, actual) in hybrid.Gradients(HybridFheMode.Disable).Zip(hybrid.Gradients(HybridFheMode.Execute)))
        {
            Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, 1e-2);
        }
    }

    [Fact]
    public void A_kernel_that_went_wrong_after_its_check_ends_in_an_error_not_in_a_wrong_gradient()
    {
        using var scope = NewDisposeScope();
        var kernels = new FheKernels(new KernelChoice<IntegerGemm>(new WrongEvaluation("Odd"), []), ClientKernels.Choice);
        using var hybrid = new HybridFixture(backend: Backend(kernels));

        Assert.Throws<InvalidDataException>(() => hybrid.Output(HybridFheMode.Execute));
        Assert.Empty(hybrid.Logger.Lines);
    }

    [Fact]
    public void On_a_sound_machine_nothing_is_said()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        hybrid.Output(HybridFheMode.Execute);
        Assert.Empty(hybrid.Logger.Lines);
        Assert.Equal(InProcessFheBackend.KernelName, FheKernels.OfThisProcess.Evaluation.Kernel.Name);
    }

    [Fact]
    public void Without_a_right_kernel_there_is_one_error_that_names_those_tried()
    {
        var evaluation = Assert.Throws<InvalidOperationException>(() => GemmKernels.Choose([new WrongEvaluation("Odd"), new WrongEvaluation("Odder")]));
        Assert.Equal(
            "No kernel of the integer product passed its check against a naive product on this machine. Tried: Odd, Odder. "
            + "Nothing can be computed safely; use another machine.",
            evaluation.Message);
        var client = Assert.Throws<InvalidOperationException>(() => ClientKernels.Choose([new WrongClient("Strange")]));
        Assert.Equal(
            "No vector kernel of the client passed its check against the plain one on this machine. Tried: Strange. Nothing can be computed safely; use another machine.",
            client.Message);
    }

    private static InProcessFheBackend Backend(FheKernels kernels) => new(new InProcessFheOptions(), new InsecureTestRandomness(7), recorder: null, kernels);

    /// <summary>Gets one output of the last token wrong by one.</summary>
    private sealed class WrongEvaluation(string name) : IntegerGemm
    {
        public override string Name => name;

        public override int PanelOutputs => Evaluation.PanelOutputs;

        public override int StrassenInputs => Evaluation.StrassenInputs;

        public override PackedWeights Pack(QuantizedLayer layer, LayerDirection direction, int maxThreads) => Evaluation.Pack(layer, direction, maxThreads);

        public override unsafe void Multiply(
            PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken)
        {
            Evaluation.Multiply(weights, source, target, maxThreads, cancellationToken);
            *target.At((target.Features - 1) / FeatureBlocks.Width, target.Tokens - 1) ^= 1;
        }
    }

    /// <summary>Gets the first word of an encrypted block wrong by one.</summary>
    private sealed unsafe class WrongClient(string name) : ClientKernel
    {
        public override string Name => name;

        public override void Encrypt(in BlockWork work)
        {
            Client.Encrypt(work);
            *work.Words ^= 1;
        }

        public override void Decrypt(in BlockWork work) => Client.Decrypt(work);

        public override void AddRows(in BlockWork work) => Client.AddRows(work);

        public override void SubtractMask(in BlockWork work) => Client.SubtractMask(work);

        public override void Encode(float* row, double* channels, double scale, int* codes, int features) =>
            Client.Encode(row, channels, scale, codes, features);

        public override void Quantize(
            float* row, double* channels, double scale, double inverse, sbyte* errors, float* destination, int features) =>
            Client.Quantize(row, channels, scale, inverse, errors, destination, features);

        public override void Transform(uint* values, int degree) => Client.Transform(values, degree);
    }
}
