using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Biases that are trained with an adapter, of layers whose weights are frozen and computed elsewhere: they stay with the data's owner.</summary>
public sealed class BiasTrainingTests
{
    public static TheoryData<LoraBias, string[]> Biases => new()
    {
        { LoraBias.LoraOnly, ["fc1.base_layer.bias", "fc2.base_layer.bias"] },
        { LoraBias.All, ["fc1.base_layer.bias", "fc2.base_layer.bias", "lm_head.bias", "norm.bias"] },
    };

    [Theory]
    [MemberData(nameof(Biases))]
    public void In_torch_mode_they_get_the_gradients_of_the_plain_model(LoraBias bias, string[] names)
    {
        using var scope = NewDisposeScope();
        using var run = new WordRun(options: config => config with { Bias = bias });
        using var bare = LoraModel.Apply(new WordMlp(), run.Model.Config);
        CopyInto(bare, run.Model);

        run.Trainer.LoraTrainingModule.call(run.Batches[0]).Loss.Dispose();
        var logits = ((WordMlp)bare.Model).call(run.Batches[0].Input!);
        nn.functional.cross_entropy(logits.flatten(0, 1), run.Batches[0].Labels!.flatten()).backward();

        var expected = bare.TrainableParameters();
        var trained = run.Model.TrainableParameters();
        Assert.Equal(4 + names.Length, trained.Count);
        Assert.All(expected.Zip(trained), pair => Assert.True(pair.First.grad!.allclose(pair.Second.grad!, rtol: 0, atol: 1e-6)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void In_a_module_of_the_users_own_they_get_the_same(bool useDora)
    {
        using var scope = NewDisposeScope();
        using var run = new WordRun();
        var config = new LoraConfig { R = 2, TargetModules = ["fc1", "fc2"], Bias = LoraBias.All, UseDora = useDora, InitLoraWeights = InitLoraWeights.Random };
        var adapted = LoraModel.Apply(new WordMlp(), config);
        var trained = adapted.TrainableParameters();
        nn.functional.cross_entropy(((WordMlp)adapted.Model).call(run.Batches[0].Input!).flatten(0, 1), run.Batches[0].Labels!.flatten()).backward();
        var expected = trained.Select(parameter => parameter.grad!.clone()).ToList();
        using var optimizer = optim.SGD(trained, 0.5);
        optimizer.zero_grad();

        using var trainer = new LoraTrainer(new Wrapper(adapted), optimizer, (logits, labels) => nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()));
        trainer.LoraTrainingModule.call(run.Batches[0]).Loss.Dispose();

        Assert.All(expected.Zip(trained), pair => Assert.True(pair.First.allclose(pair.Second.grad!, rtol: 0, atol: 1e-6)));
    }

    [Theory]
    [InlineData(HybridFheMode.Disable, false)]
    [InlineData(HybridFheMode.Simulate, false)]
    [InlineData(HybridFheMode.Execute, false)]
    [InlineData(HybridFheMode.Execute, true)]
    public void They_are_trained_in_every_mode_as_in_torch(HybridFheMode mode, bool includeEmbeddingLayers)
    {
        using var scope = NewDisposeScope();
        using var torch = new WordRun(options: config => config with { Bias = LoraBias.All }).Train(HybridFheMode.Torch);
        using var run = new WordRun(includeEmbeddingLayers, options: config => config with { Bias = LoraBias.All });
        var before = run.Model.TrainableParameters().Select(parameter => parameter.clone()).ToArray();

        run.Train(mode, bits: 12);

        Assert.All(torch.Losses.Zip(run.Losses), pair => Assert.Equal(pair.First, pair.Second, 0.01));
        foreach (var (first, (last, expected)) in before.Zip(run.Model.TrainableParameters().Zip(torch.Model.TrainableParameters())))
        {
            Assert.False(first.allclose(last, rtol: 0, atol: 1e-6));
            Assert.True(expected.allclose(last, rtol: 0, atol: 0.02));
        }
    }

    [Theory]
    [MemberData(nameof(Biases))]
    public void They_are_saved_under_pefts_names_before_the_weights_leave_and_after(LoraBias bias, string[] names)
    {
        using var folder = new TemporaryFolder();
        using var run = new WordRun(options: config => config with { Bias = bias }).Train(HybridFheMode.Disable);
        run.Model.SavePretrained(folder.At("before"));
        run.Trainer.SaveAndClearPrivateInfo(folder.At("halves"));
        run.Model.SavePretrained(folder.At("after"));

        using var file = LoraFhe.Safetensors.SafetensorsFile.Open(folder.At("before", "adapter_model.safetensors"));
        Assert.Equal(
            names.Select(name => $"base_model.model.{name}"),
            file.Entries.Select(entry => entry.Name).Where(name => name.EndsWith("bias", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(File.ReadAllBytes(folder.At("before", "adapter_model.safetensors")), File.ReadAllBytes(folder.At("after", "adapter_model.safetensors")));
    }

    [Fact]
    public void A_run_goes_on_from_a_checkpoint_after_the_weights_have_left()
    {
        using var folder = new TemporaryFolder();
        static LoraConfig All(LoraConfig config) => config with { Bias = LoraBias.All };
        List<double> expected;
        using (var unbroken = new WordRun(options: All))
        {
            unbroken.Trainer.Compile(unbroken.Batches[0], cancellationToken: Cancellation.Token);
            unbroken.Trainer.Train(unbroken.Batches, 2, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
            expected = [.. unbroken.Losses];
        }

        using (var original = new WordRun(checkpointDir: folder.At("checkpoints"), options: All).Train(HybridFheMode.Disable))
        {
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new WordRun(seed: 1, checkpointDir: folder.At("checkpoints"), options: All);
        other.Trainer.LoadPrivateInfo(folder.At("client"));
        other.Trainer.Compile(other.Batches[0], frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation.Token);
        other.Trainer.Train(other.Batches, 2, HybridFheMode.Disable, cancellationToken: Cancellation.Token);

        Assert.Equal(expected, other.Losses);
    }

    private static void CopyInto(LoraModel model, LoraModel from)
    {
        using var noGradients = no_grad();
        var values = from.named_parameters().ToDictionary(entry => ClientTensors.NameOf(entry.name).Replace(".forward_module.", ".", StringComparison.Ordinal), entry => entry.parameter);
        foreach (var (name, parameter) in model.named_parameters())
        {
            parameter.copy_(values[name]);
        }
    }

    private sealed class Wrapper : nn.Module<Tensor, Tensor>
    {
        private readonly LoraModel _adapted;

        public Wrapper(LoraModel adapted)
            : base(nameof(Wrapper))
        {
            _adapted = adapted;
            RegisterComponents();
        }

        public override Tensor forward(Tensor ids) => ((WordMlp)_adapted.Model).call(ids);
    }
}
