using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using LoraFhe.Tests.Hybrid;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>DoRA over frozen layers that are computed elsewhere: the norms of W + s·B·A come from products of A's rows through the same layers.</summary>
public sealed class DoraTrainingTests
{
    private static LoraConfig Dora(LoraConfig config) => config with { UseDora = true };

    [Theory]
    [InlineData(HybridFheMode.Disable, false)]
    [InlineData(HybridFheMode.Simulate, false)]
    [InlineData(HybridFheMode.Execute, false)]
    [InlineData(HybridFheMode.Execute, true)]
    public void It_trains_in_every_mode_as_in_torch(HybridFheMode mode, bool includeEmbeddingLayers)
    {
        using var scope = NewDisposeScope();
        using var torch = new WordRun(options: Dora, targets: ["words", "fc1", "fc2"]).Train(HybridFheMode.Torch);
        using var run = new WordRun(includeEmbeddingLayers, options: Dora, targets: ["words", "fc1", "fc2"]);
        var before = Magnitudes(run.Model).Select(magnitude => magnitude.clone()).ToArray();

        run.Train(mode, bits: 12);

        Assert.Equal(3, before.Length);
        Assert.All(torch.Losses.Zip(run.Losses), pair => Assert.Equal(pair.First, pair.Second, 0.01));
        Assert.All(before.Zip(Magnitudes(run.Model)), pair => Assert.False(pair.First.allclose(pair.Second, rtol: 0, atol: 1e-5)));
        Assert.All(Magnitudes(torch.Model).Zip(Magnitudes(run.Model)), pair => Assert.True(pair.First.allclose(pair.Second, rtol: 0, atol: 0.02)));
        Assert.Contains("inference_model.base_model.model.fc1.lora_magnitude_vector.default.weight", run.Trainer.GetGradientStats().Keys);
    }

    [Theory]
    [InlineData(true, 1e-4)]
    [InlineData(false, 0.02)] // Activations of the integers are a little longer than those that calibration saw, and so scaled down.
    public void Its_norms_are_those_of_the_integers_that_compute(bool useDynamicQuantization, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var run = new WordRun(options: Dora, targets: ["words", "fc1", "fc2"]);
        using (no_grad())
        {
            foreach (var layer in run.Model.AdaptedLayers.Select(entry => entry.Layer).OfType<LoraLinear>())
            {
                // Rows far longer than activations: were they scaled down as those are, the norms would be others altogether.
                layer.LoraA["default"].weight.mul_(500);
                layer.LoraB["default"].weight.normal_(0, 0.002);
            }
        }

        run.Trainer.Compile(run.Batches[0], nBits: 12, useDynamicQuantization: useDynamicQuantization, cancellationToken: Cancellation.Token);
        var answer = run.Trainer.HybridModel.Run(HybridFheMode.Disable, () => ((WordMlp)run.Model.Model).call(run.Batches[0].Input!));

        using var quantized = LoraModel.Apply(new WordMlp(), run.Model.Config);
        TakeOver(quantized, run);
        var distance = (answer - ((WordMlp)quantized.Model).call(run.Batches[0].Input!)).abs().max().item<float>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    public void After_the_weights_have_left_it_goes_on_to_the_same_bits(HybridFheMode mode)
    {
        using var folder = new TemporaryFolder();
        using var unbroken = new WordRun(options: Dora, targets: ["words", "fc1", "fc2"]).Train(mode);
        unbroken.Trainer.HybridModel.SeedSimulation(11);
        unbroken.Trainer.Train(unbroken.Batches, 1, mode, cancellationToken: Cancellation.Token);
        using (var original = new WordRun(options: Dora, targets: ["words", "fc1", "fc2"]).Train(mode))
        {
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new WordRun(seed: 1, options: Dora, targets: ["words", "fc1", "fc2"]);
        other.Trainer.LoadPrivateInfo(folder.At("client"));
        other.Trainer.Compile(other.Batches[0], frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation.Token);
        other.Trainer.HybridModel.SeedSimulation(11);
        other.Trainer.Train(other.Batches, 1, mode, cancellationToken: Cancellation.Token);

        Assert.Equal(unbroken.Losses.Skip(4), other.Losses);
    }

    [Theory]
    [InlineData(0.0, 2)]
    [InlineData(0.3, 3)]
    public void A_forward_asks_a_layer_for_the_rows_of_A_too_and_with_dropout_for_the_dropped_input(double dropout, int forwardCalls)
    {
        using var backend = new ClearBackend();
        using var run = new WordRun(options: config => config with { UseDora = true, LoraDropout = dropout }, backend: backend, includeEmbeddingLayers: false, targets: ["fc2"]);
        run.Trainer.Compile(run.Batches[0], cancellationToken: Cancellation.Token);

        run.Trainer.Train([run.Batches[0]], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);

        Assert.Equal(forwardCalls, backend.Calls.Count(call => call == new LayerId("fc2", LayerDirection.Forward)));
        Assert.Equal(1, backend.Calls.Count(call => call == new LayerId("fc1", LayerDirection.Forward)));
        Assert.DoesNotContain(backend.Calls, call => call.Direction == LayerDirection.Backward);
    }

    private static IEnumerable<Parameter> Magnitudes(LoraModel model) => model.AdaptedLayers.Select(entry => entry.Layer.LoraMagnitudeVector("default")!);

    // The plain model with the integers' weights, and all else as in the run.
    private static void TakeOver(LoraModel model, WordRun run)
    {
        using var noGradients = no_grad();
        var client = run.Model.named_parameters().ToDictionary(entry => ClientTensors.NameOf(entry.name).Replace(".forward_module.", ".", StringComparison.Ordinal), entry => entry.parameter);
        foreach (var (name, parameter) in model.named_parameters())
        {
            parameter.copy_(client[name]);
        }

        foreach (var weights in run.Trainer.HybridModel.Layers.Select(layer => layer.Weights))
        {
            var values = tensor(Array.ConvertAll(weights.Codes.ToArray(), code => (float)code), weights.OutFeatures, weights.InFeatures) * tensor(weights.Scales.ToArray()).unsqueeze(1);
            var place = model.AdaptedLayers.FirstOrDefault(entry => entry.Name == weights.Name).Layer?.BaseLayer ?? model.Model.named_children().Single(child => child.name == weights.Name).module;
            (place as Embedding is { } embedding ? EmbeddingWeight.Of(embedding) : ((Linear)place).weight).copy_(place is Embedding ? values.t() : values);
        }
    }
}
