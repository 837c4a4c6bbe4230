using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Attention masks: 0 and 1 of any type are taken, anything else is refused in the reference's words.</summary>
public sealed class MaskFaultTests
{
    [Theory]
    [InlineData(2.0)]
    [InlineData(0.5)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void A_value_other_than_0_and_1_is_refused_before_the_model_is_called(double value)
    {
        using var scope = NewDisposeScope();
        var mask = ones(4);
        mask[2] = value;
        var model = new Masked();
        Assert.Equal(
            "Invalid attention mask provided. Attention mask should only contain 0s and 1s.",
            Assert.Throws<ArgumentException>(() => Train(model, mask)).Message);
        Assert.Equal(0, model.Calls);
    }

    [Theory]
    [InlineData(ScalarType.Bool)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Zeros_and_ones_of_any_type_are_taken_and_zeros_alone_too(ScalarType type)
    {
        using var scope = NewDisposeScope();
        Assert.True(double.IsFinite(Train(new Masked(), tensor(new float[] { 1, 0, 1, 1 }).to(type))));
        Assert.True(double.IsFinite(Train(new Masked(), zeros(4, dtype: type))));
    }

    [Fact]
    public void A_mask_of_another_shape_is_named_with_its_shape()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => Train(new Masked(), ones(5)));
        Assert.Contains("'attention_mask' Float32 [5]", error.Message, StringComparison.Ordinal);
    }

    private static double Train(Masked user, Tensor mask)
    {
        using var training = new LoraTraining(
            LoraModel.Apply(user, new LoraConfig { R = 2, TargetModules = ["fc"] }), lossFn: (logits, labels) => nn.functional.mse_loss(logits, labels));
        using var batch = new Batch(new Dictionary<string, Tensor> { ["x"] = ones(4, 3), ["attention_mask"] = mask, ["labels"] = zeros(4, 2) });
        using var loss = training.call(batch).Loss;
        return loss.ToDouble();
    }

    private sealed class Masked : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "fc")]
        private readonly nn.Module<Tensor, Tensor> _fc = nn.Linear(3, 2);

        public Masked()
            : base(nameof(Masked)) => RegisterComponents();

        public int Calls { get; private set; }

        public override Tensor forward(Tensor x, Tensor attention_mask)
        {
            Calls++;
            return _fc.call(x) * attention_mask.to(float32).unsqueeze(-1);
        }
    }
}
