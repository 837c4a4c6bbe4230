using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class LoraEmbeddingTests
{
    private static readonly LoraConfig Config = new() { R = 2, LoraAlpha = 6, TargetModules = ["words"] };

    [Fact]
    public void The_output_is_the_embeddings_and_the_scaled_products_row_of_each_id()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Words(), Config with { InitLoraWeights = InitLoraWeights.Random });
        var layer = Layer(model);
        var ids = tensor(new long[,] { { 3, 0, 3 }, { 6, 1, 5 } });

        var output = layer.call(ids);

        var table = Table(layer) + layer.LoraEmbeddingB("default").matmul(layer.LoraEmbeddingA("default")).t().mul(3.0);
        Assert.Equal([2L, 3, 4], output.shape);
        Assert.True((table.index_select(0, ids.flatten()).view(2, 3, 4) - output).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void Parameters_have_pefts_names_and_shapes_and_only_they_are_trained()
    {
        using var model = LoraModel.Apply(new Words(), Config);

        Assert.Equal(
            [("base_model.model.words.lora_embedding_A.default", "2,7"), ("base_model.model.words.lora_embedding_B.default", "4,2")],
            model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => (entry.name, string.Join(',', entry.parameter.shape))));
        Assert.Equal((7, 4), ((int)Layer(model).InFeatures, (int)Layer(model).OutFeatures));
    }

    [Fact]
    public void A_fresh_adapter_changes_nothing_and_its_B_is_drawn_from_the_standard_normal()
    {
        using var scope = NewDisposeScope();
        var words = new Words(entries: 50, width: 4096);
        var ids = tensor([3L, 49]);
        var before = words.call(ids);
        using var model = LoraModel.Apply(words, Config with { R = 16 }, seed: 5);
        var layer = Layer(model);

        Assert.Equal(before.data<float>().ToArray(), words.call(ids).data<float>().ToArray());
        Assert.Equal(0f, layer.LoraEmbeddingA("default").abs().max().item<float>());

        // 65 536 draws: six deviations of the estimates are 1.7 % and 0.024.
        Assert.InRange(layer.LoraEmbeddingB("default").std().item<float>(), 0.983f, 1.017f);
        Assert.InRange(layer.LoraEmbeddingB("default").mean().item<float>(), -0.024f, 0.024f);
    }

    [Fact]
    public void Gradients_reach_A_in_the_columns_of_the_ids_only()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Words(), Config);
        var layer = Layer(model);

        layer.call(tensor([2L, 2, 5])).sum().backward();

        var gradient = layer.LoraEmbeddingA("default").grad!;
        var expected = layer.LoraEmbeddingB("default").sum([0L]).mul(3.0);
        AssertClose(expected.mul(2), gradient.select(1, 2));
        AssertClose(expected, gradient.select(1, 5));
        Assert.Equal(0f, gradient.select(1, 0).abs().max().item<float>());
        Assert.Equal(0f, layer.LoraEmbeddingB("default").grad!.abs().max().item<float>());
        Assert.Null(Table(layer).grad);
    }

    [Fact]
    public void Merged_it_is_the_table_and_unmerged_the_table_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Words(), Config with { InitLoraWeights = InitLoraWeights.Random });
        var layer = Layer(model);
        var (ids, bare) = (arange(7, dtype: ScalarType.Int64), Table(layer).detach().clone());
        var before = layer.call(ids);

        model.MergeAdapter();
        AssertClose(before, layer.call(ids));
        AssertClose(before, Table(layer));
        model.UnmergeAdapter();
        AssertClose(bare, Table(layer));

        var words = (Words)model.Unload();
        Assert.IsType<Embedding>(words.Table);
        AssertClose(bare, words.call(ids));
    }

    [Fact]
    public void It_moves_with_the_model_and_takes_half_precision()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Words(), Config);
        model.to(ScalarType.Float64);
        Assert.Equal(ScalarType.Float64, Layer(model).LoraEmbeddingA("default").dtype);
        Assert.Equal(ScalarType.Float64, Layer(model).call(tensor([1L])).dtype);
        Assert.Equal(2, model.TrainableParameters().Count);

        using var half = LoraModel.Apply(new Words().to(ScalarType.BFloat16), Config);
        Assert.Equal(ScalarType.Float32, Layer(half).LoraEmbeddingB("default").dtype);
        Assert.Equal(ScalarType.BFloat16, Layer(half).call(tensor([1L])).dtype);
    }

    [Fact]
    public void A_bias_of_B_is_refused_by_name()
    {
        using var words = new Words();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(words, Config with { LoraBias = true }));

        Assert.Equal("LoraBias is set and 'words' is an embedding, whose adapter can have no bias. Leave one of them out.", error.Message);
    }

    [Fact]
    public void An_embedding_whose_parameter_is_not_what_it_answers_from_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var words = nn.Sequential(("words", nn.Embedding_from_pretrained(randn(7, 4))));

        var error = Assert.Throws<NotSupportedException>(() => LoraModel.Apply(words, Config));

        Assert.StartsWith("'words' answers from another weight than the one it has registered", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_the_adapters_name_in_its_keys_is_read()
    {
        using var folder = new TemporaryFolder();
        using var saved = LoraModel.Apply(new Words(), Config with { InitLoraWeights = InitLoraWeights.Random });
        saved.SavePretrained(folder.Path);
        Rewrite(folder.At("adapter_model.safetensors"), name => name + ".default");

        using var loaded = LoraModel.FromPretrained(new Words(), folder.Path);

        Assert.Equal(Layer(saved).LoraEmbeddingA("default").data<float>().ToArray(), Layer(loaded).LoraEmbeddingA("default").data<float>().ToArray());
    }

    private static void Rewrite(string path, Func<string, string> rename)
    {
        List<SafetensorsTensor> tensors;
        using (var file = SafetensorsFile.Open(path))
        {
            tensors = [.. file.Entries.Select(entry => SafetensorsTensor.FromSingles(rename(entry.Name), [.. entry.Shape], file.ReadSingles(entry.Name)))];
        }

        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>());
    }

    private static LoraEmbedding Layer(LoraModel model) => (LoraEmbedding)model.AdaptedLayers.Single().Layer;

    private static Parameter Table(LoraEmbedding layer) => layer.BaseLayer.get_parameter("weight")!;

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() < 1e-5f);
    }

    private sealed class Words : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "words")]
        private readonly nn.Module<Tensor, Tensor> _words;

        public Words(int entries = 7, int width = 4) : base(nameof(Words))
        {
            _words = nn.Embedding(entries, width);
            RegisterComponents();
        }

        public nn.Module Table => _words;

        public override Tensor forward(Tensor input) => _words.call(input);
    }
}
