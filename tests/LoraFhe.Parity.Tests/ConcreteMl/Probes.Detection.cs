using LoraFhe.Tests.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>Is it a model with adapters, and can it be trained?</content>
internal static partial class Probes
{
    private const string NotRecognized = "`lora_A` and `lora_B` are not recognized";

    private static Dictionary<string, Probe> Detection => new()
    {
        ["no lora layers, with labels arg"] = Probe.Kept(recorded =>
        {
            using var model = new Head(takesLora: null);
            AssertSays(FirstArgument(recorded), Assert.Throws<ArgumentException>(() => new LoraTraining(model, forwardFn: _ => new ModelOutput())));
        }),
        ["no loss_fn and forward has no labels parameter"] = Probe.Mended("error texts name Python's arguments", recorded =>
        {
            using var model = new Head("lora_a");
            Assert.Contains("must accept a 'labels' parameter", FirstArgument(recorded), StringComparison.Ordinal);
            AssertSays("When no lossFn is provided, the model's forward method must accept a 'labels' parameter.", Assert.Throws<ArgumentException>(() => new LoraTraining(model)));
        }),
        ["no loss_fn, no labels, AND no lora: which check is first"] = Probe.Mended("error texts name Python's arguments", recorded =>
        {
            using var model = new Head(takesLora: null);
            Assert.Contains("must accept a 'labels' parameter", FirstArgument(recorded), StringComparison.Ordinal);
            AssertSays("must accept a 'labels' parameter.", Assert.Throws<ArgumentException>(() => new LoraTraining(model)));
        }),
        ["assert_has_lora_layers: attribute named lora_a"] = Probe.Mended("\"LoRA layers detected in the model.\" on standard output", _ => AssertFound("lora_a")),
        ["assert_has_lora_layers: attribute named LORA_A"] = Probe.Kept(_ => AssertFound("LORA_A")),
        ["assert_has_lora_layers: attribute named lora_A"] = Probe.Mended(NotRecognized, _ => AssertFound("lora_A")),
        ["assert_has_lora_layers: attribute named lora_B"] = Probe.Mended(NotRecognized, _ => AssertFound("lora_B")),
        ["assert_has_lora_layers: attribute named lora_dropout"] = Probe.Kept(_ => AssertFound("lora_dropout")),
        ["assert_has_lora_layers: attribute named lora_embedding_A"] = Probe.Mended(NotRecognized, _ => AssertFound("lora_embedding_A")),
        ["assert_has_lora_layers: attribute named my_lora_a"] = Probe.Kept(recorded =>
        {
            using var model = new Head("my_lora_a");
            AssertSays(FirstArgument(recorded), Assert.Throws<ArgumentException>(() => LoraTraining.AssertHasLoraLayers(model)));
        }),
        ["peft Linear without lora_dropout attribute"] = Probe.Mended(NotRecognized, _ =>
        {
            using var model = nn.Sequential(("layer", nn.Sequential(("base_layer", nn.Linear(2, 2)), ("lora_A", nn.Linear(2, 1)), ("lora_B", nn.Linear(1, 2)))));
            LoraTraining.AssertHasLoraLayers(model);
        }),
        ["defaults of LoraTraining"] = Probe.Mended("`LoraTraining.calibrate`", recorded =>
        {
            using var training = new LoraTraining(new DummyLoraModel());
            Assert.Equal(recorded["returns"]["loss_scaling_factor"].AsDouble, training.LossScalingFactor);
            Assert.Equal(recorded["returns"]["training"].AsBoolean, training.training);

            // No loss function: the model's own loss is taken.
            using var batch = Pair();
            training.call(batch).Loss.Dispose();
        }),
        ["PeftModel without task_type and no loss_fn"] = Probe.Mended("a `PeftModel` without a task type hides", _ =>
        {
            using var training = new LoraTraining(LoraModel.Apply(new DummyModel(), new LoraConfig { TargetModules = ["linear1"] }));
            using var batch = Pair();
            training.call(batch).Loss.Dispose();
            using var without = LoraModel.Apply(new Mlp([3, 4, 5, 2]), new LoraConfig { TargetModules = ["fc1"] });
            AssertSays("must accept a 'labels' parameter.", Assert.Throws<ArgumentException>(() => new LoraTraining(without)));
        }),
    };

    private static void AssertFound(string name)
    {
        using var model = new Head(name);
        var console = Console.Out;
        using var written = new StringWriter();
        Console.SetOut(written);
        try
        {
            LoraTraining.AssertHasLoraLayers(model);
        }
        finally
        {
            Console.SetOut(console);
        }

        Assert.Equal("", written.ToString());
    }

    /// <summary>A linear layer, and a parameter of a given name.</summary>
    private sealed class Head : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _linear = nn.Linear(10, 10);

        public Head(string? takesLora)
            : base(nameof(Head))
        {
            RegisterComponents();
            if (takesLora is not null)
            {
                register_parameter(takesLora, new Parameter(ones(1)));
            }
        }

        public override Tensor forward(Tensor x) => _linear.call(x);
    }

    /// <summary>The reference's dummy model without adapters; it returns its own loss.</summary>
    private sealed class DummyModel : nn.Module<Tensor, Tensor?, ModelOutput>
    {
        [TorchSharp.Utils.ComponentName(Name = "linear1")]
        private readonly nn.Module<Tensor, Tensor> _linear1 = nn.Linear(10, 20);

        [TorchSharp.Utils.ComponentName(Name = "linear2")]
        private readonly nn.Module<Tensor, Tensor> _linear2 = nn.Linear(20, 10);

        public DummyModel()
            : base(nameof(DummyModel)) => RegisterComponents();

        public override ModelOutput forward(Tensor x, Tensor? labels)
        {
            var logits = _linear2.call(nn.functional.relu(_linear1.call(x)));
            return new ModelOutput { Logits = logits, Loss = labels is null ? null : Mse(logits, labels) };
        }
    }
}
