using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Quantization where it is delicate: ties, which no random weight hits, and a channel of zeros.</summary>
public sealed class Int8RoundingTests
{
    private const string File = "int8-rounding";

    [Theory]
    [InlineData("linear", false)]
    [InlineData("conv1d", true)]
    public void Codes_scales_dequantized_weights_and_products_are_the_recorded_ones(string orientation, bool isTransposed)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open(".");
        var recorded = golden.Json("int8-rounding.json");
        var weight = golden.SingleTensor(File, orientation + ".weight");
        using var model = nn.Sequential(("layer", Layer(weight, isTransposed)));
        using var hybrid = new HybridFheModel(model, ["layer"]);
        var x = golden.SingleTensor(File, "x");
        hybrid.CompileModel<Tensor, Tensor>(x, cancellationToken: TestContext.Current.CancellationToken);
        var layer = hybrid.Layers.Single().Weights;

        var codes = tensor(Array.ConvertAll(layer.Codes.ToArray(), code => (long)code)).reshape(weight.shape[0], -1);
        var scales = tensor(layer.Scales.ToArray());
        var expected = golden.Int64s(File, orientation + ".qweight");
        Assert.Equal(expected.Values, Oriented(codes).contiguous().data<long>().ToArray());
        Assert.Equal(recorded["qweight"].Items.SelectMany(row => row.AsInt64s), codes.data<long>().ToArray());
        Assert.Equal(golden.Singles(File, orientation + ".scale").Values, layer.Scales.ToArray());
        Assert.Equal(recorded["scale"].AsDoubles, Array.ConvertAll(layer.Scales.ToArray(), scale => (double)scale));
        var dequantized = Oriented(codes.to(float32) * scales.unsqueeze(1)).contiguous();
        Assert.Equal(golden.Singles(File, orientation + ".dequantised").Values, dequantized.data<float>().ToArray());

        Close.Within(recorded["tolerance"]["y"].AsDouble, golden.SingleTensor(File, "y"), hybrid.Forward<Tensor, Tensor>(x), $"{orientation} y");
        Assert.Equal(recorded["elements_where_half_away_from_zero_would_differ"].AsInt32, DifferentAwayFromZero(Oriented(weight), codes, scales));

        Tensor Oriented(Tensor matrix) => isTransposed ? matrix.t() : matrix;
    }

    private static nn.Module<Tensor, Tensor> Layer(Tensor weight, bool isTransposed)
    {
        using var noGradient = no_grad();
        if (!isTransposed)
        {
            return nn.Linear(new Parameter(weight.clone()));
        }

        var conv = new Conv1D(weight.shape[0], weight.shape[1], hasBias: false);
        conv.weight.copy_(weight);
        return conv;
    }

    // Counted by the quotients that PyTorch rounds, which are of single precision.
    private static long DifferentAwayFromZero(Tensor weight, Tensor codes, Tensor scales)
    {
        var quotients = weight / scales.unsqueeze(1);
        return (quotients.sign() * (quotients.abs() + 0.5).floor()).ne(codes).sum().item<long>();
    }
}
