using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>The forms of a batch.</content>
internal static partial class Probes
{
    private const string Pops = "`process_inputs` pops `labels`";
    private const string Types = "wrong types are found when the line runs";

    private static Dictionary<string, Probe> Inputs => new()
    {
        ["process_inputs tuple"] = Probe.Kept(recorded =>
        {
            using var batch = Pair();
            AssertParts(recorded["returns"], batch);
        }),
        ["process_inputs dict, loss_fn None: labels stay"] = Probe.Kept(recorded =>
        {
            using var batch = Named(("x", randn(3, 10)), ("labels", randn(3, 10)));
            AssertParts(recorded["returns"][0], batch);
            Assert.Equal(recorded["returns"][1].AsStrings, batch.Keys);
        }),
        ["process_inputs dict, loss_fn given: labels popped from caller's dict"] = Probe.Mended(Pops, recorded =>
        {
            using var batch = Named(("x", randn(3, 10)), ("labels", randn(3, 10)));
            using var training = new LoraTraining(new DummyLoraModel(), lossFn: Mse);
            AssertParts(recorded["returns"][0], batch);
            training.call(batch).Loss.Dispose();
            Assert.Equal([.. recorded["returns"][1].AsStrings, "labels"], batch.Keys);
        }),
        ["process_inputs BatchEncoding, loss_fn given"] = Probe.Mended(Pops, recorded =>
        {
            using var batch = Named(("x", randn(3, 10)), ("attention_mask", ones(3)), ("labels", randn(3, 10)));
            AssertParts(recorded["returns"][0], batch);
            Assert.Equal([.. recorded["returns"][1].AsStrings, "labels"], batch.Keys);
        }),
        ["process_inputs dict without labels or mask"] = Probe.Kept(recorded =>
        {
            using var batch = Named(("x", randn(3, 10)));
            AssertParts(recorded["returns"], batch);
        }),
        ["forward tuple of 1"] = Probe.Kept(recorded => AssertTupleRefused(recorded, randn(3, 10))),
        ["forward tuple of 3"] = Probe.Kept(recorded => AssertTupleRefused(recorded, randn(3, 10), randn(3, 10), randn(3, 10))),
        ["forward list of 2"] = Probe.Mended("a list of data and labels is refused", _ =>
        {
            using var training = new LoraTraining(new DummyLoraModel());
            using var batch = Batch.FromList([randn(3, 10), randn(3, 10)]);
            training.call(batch).Loss.Dispose();
        }),
        ["forward tensor"] = Probe.Mended(Types, _ =>
        {
            // What is no batch does not compile: nothing turns a tensor into one.
            Assert.DoesNotContain(typeof(Batch).GetMethods(), method => method.Name == "op_Implicit" && method.GetParameters()[0].ParameterType == typeof(Tensor));
            Assert.Equal([typeof(Batch)], typeof(LoraTraining).GetMethod(nameof(LoraTraining.forward))!.GetParameters().Select(parameter => parameter.ParameterType));
        }),
        ["forward attention_mask with 2s"] = Probe.Kept(recorded => AssertMaskRefused(recorded, 2)),
        ["forward attention_mask with 0.5"] = Probe.Kept(recorded => AssertMaskRefused(recorded, 0.5f)),
        ["train list batch accepted (converted to tuple)"] = Probe.Kept(_ =>
        {
            using var dummy = Dummy();
            dummy.Trainer.Train([new List<Tensor> { randn(3, 10), randn(3, 10) }], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
            Assert.Single(dummy.Trainer.GetTrainingLosses());
        }),
        ["train tensor batch"] = Probe.Mended(Types, _ => Assert.DoesNotContain(
            typeof(LoraTrainer).GetMethods().Where(method => method.Name == nameof(LoraTrainer.Train)),
            method => method.GetParameters()[0].ParameterType == typeof(IEnumerable<Tensor>))),
        ["train dict batch with a non tensor value"] = Probe.Mended(Types, _ =>
        {
            // A dictionary of anything but tensors does not compile; null does, and is named.
            var error = Assert.Throws<ArgumentException>(() => Named(("x", randn(3, 10)), ("n", null!)));
            Assert.StartsWith("The batch's tensor 'n' is null.", error.Message, StringComparison.Ordinal);
        }),
    };

    private static void AssertParts(GoldenJson expected, Batch batch)
    {
        var (mask, labels) = LoraTraining.ProcessInputs(batch);
        foreach (var (shape, part) in expected.Items.Zip([mask, labels]))
        {
            Assert.Equal(shape.IsNull ? null : shape.AsInt64s, part?.shape);
        }
    }

    private static void AssertTupleRefused(GoldenJson recorded, params Tensor[] elements)
    {
        var error = Assert.Throws<ArgumentException>(() => Batch.FromList(elements));
        Assert.Contains("must have two elements (data, labels)", FirstArgument(recorded), StringComparison.Ordinal);
        Assert.StartsWith($"Tuple inputs must have two elements (data, labels), this one has {elements.Length}.", error.Message, StringComparison.Ordinal);
        AssertSays("Attention masks are not yet supported with tuples, use a dictionary input", error);
    }

    private static void AssertMaskRefused(GoldenJson recorded, float value)
    {
        using var training = new LoraTraining(new DummyLoraModel());
        using var batch = Named(("x", randn(3, 10)), ("attention_mask", full(3, value)), ("labels", randn(3, 10)));
        Assert.Equal(FirstArgument(recorded), Assert.Throws<ArgumentException>(() => training.call(batch)).Message);
    }
}
