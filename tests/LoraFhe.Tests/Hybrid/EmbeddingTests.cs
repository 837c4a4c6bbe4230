using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>An embedding as a frozen layer: a product of one-hot rows.</summary>
public sealed class EmbeddingTests
{
    private const int Rows = 50;
    private const int Width = 12;
    private const double LargestError = 21;

    private static readonly long[] Ids = [7, 0, 49, 7, 23, 11];

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    public void A_lookup_is_the_product_of_one_hot_rows_to_the_bit(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        var table = HybridData.Normal(1, Rows, Width);
        using var embedding = Compiled(nn.Embedding_from_pretrained(table), tensor(Ids));
        using var product = Compiled(new Conv1D(new Parameter(table.clone(), requires_grad: false)), OneHot(Ids));

        HybridData.AssertSame(Output(product, mode, OneHot(Ids)), Output(embedding, mode, tensor(Ids)));
    }

    [Fact]
    public void Every_mode_is_within_the_tables_rounding_and_the_largest_error_of_the_table()
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(Embedding(), tensor(Ids));
        var weights = hybrid.Layers[0].Weights;
        var expected = Output(hybrid, HybridFheMode.Torch, tensor(Ids)).Values();
        var range = (EncryptedLinearParameters.HalfModulus / weights.MaxWeightNorm(LayerDirection.Forward)) - (22 * Math.Sqrt(Rows));
        var codes = weights.Codes.ToArray();

        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            var output = Output(hybrid, mode, tensor(Ids)).Values();
            for (var i = 0; i < output.Length; i++)
            {
                // By the page: half a code of the weight, and Σ|w|·(21 + 1/2) of the integers the row was sent as.
                var o = i % Width;
                var sum = codes.Skip(o * Rows).Take(Rows).Sum(code => Math.Abs((double)code));
                var noise = mode == HybridFheMode.Disable ? 0 : sum * (LargestError + 0.5) / Math.Min(range, 1 << 23);
                var bound = weights.Scales[o] * (0.5 + noise + 1e-3);
                Assert.InRange(output[i], expected[i] - bound, expected[i] + bound);
            }
        }

        Assert.NotEqual(Output(hybrid, HybridFheMode.Disable, tensor(Ids)).Values(), Output(hybrid, HybridFheMode.Execute, tensor(Ids)).Values());
    }

    [Fact]
    public void Its_table_is_quantized_by_output_channel_like_any_layer()
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(Embedding(), tensor(Ids));
        var layer = hybrid.Layers[0];

        Assert.Equal("0", layer.Weights.Name);
        Assert.Equal((Rows, Width), (layer.Weights.InFeatures, layer.Weights.OutFeatures));
        Assert.Equal(Width, layer.Weights.Scales.Length);
        Assert.True(layer.NeedsForward);
        Assert.False(layer.NeedsBackward);
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Ids_may_have_any_shape_and_any_integer_type(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(Embedding(), tensor(Ids));
        long[][] shapes = [[6], [2, 3], [1, 2, 3]];
        var expected = Output(hybrid, HybridFheMode.Torch, tensor(Ids)).Values();

        foreach (var shape in shapes)
        {
            foreach (var type in new[] { ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Byte })
            {
                var output = Output(hybrid, mode, tensor(Ids).reshape(shape).to(type));
                Assert.Equal([.. shape, Width], output.shape);
                Assert.Equal(ScalarType.Float32, output.dtype);
                Assert.All(expected.Zip(output.Values()), pair => Assert.Equal(pair.First, pair.Second, 0.02));
            }
        }

        Assert.Equal([Width], Output(hybrid, mode, tensor(7L)).shape);
        Assert.Equal([0, 3, Width], Output(hybrid, mode, zeros([0, 3], ScalarType.Int64)).shape);
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Execute)]
    public void Ids_without_a_row_are_refused_by_layer_and_range_and_nothing_is_sent(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(Embedding(), tensor(Ids));
        foreach (var id in new[] { -1L, Rows, long.MaxValue })
        {
            var error = Assert.Throws<ArgumentException>(() => Output(hybrid, mode, tensor([3, id])));
            Assert.StartsWith("Layer '0': an id has no row in the embedding; ids from 0 to 49 have. Nothing was sent.", error.Message, StringComparison.Ordinal);
        }

        foreach (var wrong in new[] { ones(2), ones(2, dtype: ScalarType.Float64), ones(2, dtype: ScalarType.Bool) })
        {
            var error = Assert.Throws<ArgumentException>(() => Output(hybrid, mode, wrong));
            Assert.StartsWith($"Layer '0': an embedding takes ids, integers from 0 to 49; the tensor is {wrong.dtype}.", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, hybrid.Backend.Traffic.Calls);
    }

    [Fact]
    public void A_token_sends_four_bytes_a_row_of_the_table_and_a_call_is_at_most_512_tokens()
    {
        using var scope = NewDisposeScope();
        using var backend = new InProcessFheBackend(new InProcessFheOptions { MaxThreads = 1 });
        using var hybrid = Compiled(Embedding(), tensor(Ids), backend: backend);
        var ids = arange(600, ScalarType.Int64) % Rows;

        var output = Output(hybrid, HybridFheMode.Execute, ids);

        var traffic = hybrid.Backend.Traffic;
        Assert.Equal(2, traffic.Calls);
        Assert.Equal((2 * 64) + (4L * Rows * 600), traffic.BytesUp);
        Assert.Equal((2 * 64) + (4L * Width * 600), traffic.BytesDown);
        Assert.Equal(600L * Rows * Width, traffic.ServerMultiplyAdds);
        HybridData.AssertClose(Output(hybrid, HybridFheMode.Torch, ids), output, 0.02);
    }

    [Fact]
    public void With_one_scale_a_layer_one_hot_rows_are_never_too_long()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var hybrid = Compiled(Embedding(), tensor(Ids[..1]), new HybridCompileOptions { UseDynamicQuantization = false }, logger);

        Assert.Equal(1.0, hybrid.Layers[0].ForwardNorm);
        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            HybridData.AssertClose(Output(hybrid, HybridFheMode.Torch, tensor(Ids)), Output(hybrid, mode, tensor(Ids)), 0.02);
        }

        Assert.Empty(logger.Lines);
    }

    [Fact]
    public void A_table_of_another_type_gives_rows_of_that_type()
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(nn.Embedding_from_pretrained(HybridData.Normal(1, Rows, Width).to(ScalarType.BFloat16)), tensor(Ids));

        foreach (var mode in Enum.GetValues<HybridFheMode>())
        {
            Assert.Equal(ScalarType.BFloat16, Output(hybrid, mode, tensor(Ids)).dtype);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void An_embedding_with_max_norm_is_refused_by_name_and_left_as_it_was(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var table = (HybridData.Normal(1, Rows, Width) * 0.01).to(type);
        using var model = nn.Sequential(("words", nn.Embedding_from_pretrained(table.clone(), max_norm: 5)));

        var error = Assert.Throws<NotSupportedException>(() => new HybridFheModel(model, ["words"]));

        Assert.Equal(
            "Layer 'words' is an embedding with max_norm, which changes its rows when they are looked up. Make it without, or leave embedding layers out.", error.Message);
        HybridData.AssertSame(table.to(ScalarType.Float32), ((Embedding)model.named_children().Single().module).weight!.to(ScalarType.Float32));
        Assert.IsType<Embedding>(model.named_children().Single().module);
    }

    [Fact]
    public void Padding_and_options_of_the_gradient_change_nothing()
    {
        using var scope = NewDisposeScope();
        var table = HybridData.Normal(1, Rows, Width);
        using var plain = Compiled(nn.Embedding_from_pretrained(table.clone()), tensor(Ids));
        using var other = Compiled(nn.Embedding_from_pretrained(table.clone(), padding_idx: 7, scale_grad_by_freq: true, sparse: true), tensor(Ids));

        HybridData.AssertSame(Output(plain, HybridFheMode.Disable, tensor(Ids)), Output(other, HybridFheMode.Disable, tensor(Ids)));
    }

    [Fact]
    public void A_remote_embedding_keeps_its_name()
    {
        using var scope = NewDisposeScope();
        using var hybrid = Compiled(Embedding(), tensor(Ids));

        Assert.Equal(["0"], Lora.GetRemoteNames(hybrid.Model, includeEmbeddingLayers: true));
        Assert.Empty(Lora.GetRemoteNames(hybrid.Model));
    }

    [Fact]
    public void In_a_field_typed_as_one_it_is_remote_too_and_its_table_is_freed()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new TypedWords();
        using var hybrid = new HybridFheModel(model, ["words"]);
        hybrid.CompileModel<Tensor, Tensor>(tensor(Ids), cancellationToken: TestContext.Current.CancellationToken);
        var expected = Output(hybrid, HybridFheMode.Torch, tensor(Ids));
        var quantized = Output(hybrid, HybridFheMode.Disable, tensor(Ids));
        HybridData.AssertClose(expected, quantized, 0.02);
        HybridData.AssertClose(expected, Output(hybrid, HybridFheMode.Execute, tensor(Ids)), 0.02);
        Assert.Equal(1, hybrid.Backend.Traffic.Calls);

        hybrid.SaveAndClearPrivateInfo(folder.Path);
        Assert.Equal(0, model.words.weight!.numel());
        hybrid.CompileModel<Tensor, Tensor>(
            tensor(Ids), new HybridCompileOptions { FrozenLayers = FrozenLayerFile.Read(folder.At("server")) }, cancellationToken: TestContext.Current.CancellationToken);

        HybridData.AssertSame(quantized, Output(hybrid, HybridFheMode.Disable, tensor(Ids)));
    }

    private static Embedding Embedding() => nn.Embedding_from_pretrained(HybridData.Normal(1, Rows, Width));

    private static Tensor OneHot(long[] ids) => nn.functional.one_hot(tensor(ids), Rows).to(ScalarType.Float32);

    private static HybridFheModel Compiled(nn.Module<Tensor, Tensor> layer, Tensor input, HybridCompileOptions? options = null, RecordingLogger? logger = null, IFheBackend? backend = null)
    {
        var hybrid = new HybridFheModel(nn.Sequential(layer), ["0"], backend, logger);
        hybrid.SeedSimulation(5);
        hybrid.CompileModel<Tensor, Tensor>(input, options);
        return hybrid;
    }

    private static Tensor Output(HybridFheModel hybrid, HybridFheMode mode, Tensor input)
    {
        using var noGraph = no_grad();
        return hybrid.Forward<Tensor, Tensor>(input, mode);
    }

    private sealed class TypedWords : nn.Module<Tensor, Tensor>
    {
        public readonly Embedding words = nn.Embedding(Rows, Width);

        public TypedWords()
            : base(nameof(TypedWords)) => RegisterComponents();

        public override Tensor forward(Tensor ids) => words.call(ids);
    }
}
