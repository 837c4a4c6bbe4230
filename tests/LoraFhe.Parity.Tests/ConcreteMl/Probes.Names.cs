using LoraFhe.Models;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>What is replaced and what is named.</content>
internal static partial class Probes
{
    private const string LoraInName = "`\"lora\" in name` on whole paths";

    private static Dictionary<string, Probe> Names => new()
    {
        ["get_remote_names gpt2 untouched False"] = Probe.Kept(recorded =>
        {
            using var model = Gpt2();
            Assert.Equal(recorded["returns"].AsStrings, Lora.GetRemoteNames(model));
        }),
        ["get_remote_names gpt2 untouched True"] = Probe.Kept(recorded =>
        {
            using var model = Gpt2();
            Assert.Equal(recorded["returns"].AsStrings, Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
        }),
        ["get_remote_names gpt2 LoraTraining False"] = Probe.Kept(recorded =>
        {
            using var training = new LoraTraining(Gpt2(), forwardFn: _ => new ModelOutput());
            Assert.Equal(recorded["returns"].AsStrings, Lora.GetRemoteNames(training));
        }),
        ["get_remote_names gpt2 LoraTraining True (lm_head listed twice)"] = Probe.Mended("`lm_head` is listed four times", recorded =>
        {
            using var training = new LoraTraining(Gpt2(), forwardFn: _ => new ModelOutput());
            var names = Lora.GetRemoteNames(training, includeEmbeddingLayers: true);
            Assert.Equal(recorded["returns"].AsStrings.Distinct(), names);
            Assert.Equal(recorded["returns"].AsStrings.Length - 2, names.Count);
        }),
        ["get_remote_names substring rules False"] = Probe.Mended(LoraInName, recorded =>
        {
            using var model = Substrings();
            Assert.Equal(["Lora"], recorded["returns"].AsStrings);
            Assert.Equal(["blk.lm_head_x"], Lora.GetRemoteNames(model));
        }),
        ["get_remote_names substring rules True"] = Probe.Mended("a path with `lm_head` anywhere in it", recorded =>
        {
            using var model = Substrings();
            Assert.Equal(recorded["returns"].AsStrings.Where(name => name != "Lora"), Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
        }),
        ["get_remote_names of a bare Linear"] = Probe.Kept(recorded =>
        {
            using var layer = nn.Linear(2, 2);
            Assert.Equal(recorded["returns"].AsStrings, Lora.GetRemoteNames(layer));
        }),
    };

    private static Dictionary<string, Probe> Replacement => new()
    {
        ["replace_layers_with_custom substring rules (child name only; a Linear inside a container named lora is not visited)"] =
            Probe.Mended(LoraInName, recorded =>
            {
                using var model = Substrings();
                LoraTraining.ReplaceLayersWithCustom(model, 0);
                var types = ModuleSurgery.Descendants(model).ToDictionary(entry => entry.Name, entry => entry.Module.GetType().Name);
                var kept = recorded["returns"].Members.Where(entry => entry.Name is not ("my_lora_block" or "blk") && !entry.Name.StartsWith("Lora", StringComparison.Ordinal));
                Assert.All(kept, entry => Assert.Equal(entry.Value.AsString, types[entry.Name]));
                Assert.Equal("CustomLinear", recorded["returns"]["Lora"].AsString);
                Assert.Equal("Linear", types["Lora"]);
            }),
        ["replace: a subclass of Linear is replaced too"] = Probe.Mended("subclasses of `Linear` are replaced", _ =>
            Assert.All(Lora.LinearLayers, layer => Assert.True(layer.IsSealed))),
        ["replace: one Linear registered under two names (named_children lists it once)"] = Probe.Mended("a layer under two parents", recorded =>
        {
            Assert.Equal(["a:CustomLinear", "b:Linear"], recorded["returns"].AsStrings);
            var shared = nn.Linear(2, 2);
            using var model = nn.Sequential(("a", shared), ("b", shared));
            LoraTraining.ReplaceLayersWithCustom(model, 0);
            var children = model.children().ToList();
            Assert.All(children, child => Assert.IsType<CustomLinear>(child));
            Assert.Single(children.Distinct());
        }),
        ["convert_conv1d_to_linear of a skipped Conv1D (nx=4, nf=6, frozen)"] = Probe.Mended("a skipped Conv1D becomes a trainable Linear", recorded =>
        {
            Assert.True(recorded["returns"]["weight_requires_grad"].AsBoolean);
            using var layer = new Conv1D(4, 6);
            foreach (var parameter in layer.parameters())
            {
                parameter.requires_grad = false;
            }

            using var model = nn.Sequential(("layer", layer));
            using var x = randn(2, 4);
            using var expected = model.call(x);
            using var hybrid = new HybridFheModel(model, ["layer"]);
            using var output = hybrid.Forward<Tensor, Tensor>(x, HybridFheMode.Torch);
            Assert.Same(layer, hybrid.RemoteModules[0].PrivateModule);
            Assert.True(output.equal(expected).all().item<bool>());
            Assert.All(model.parameters(), parameter => Assert.False(parameter.requires_grad));
        }),
        ["HybridFHEModel non module"] = Probe.Mended(Types, _ =>
            Assert.Throws<ArgumentNullException>("model", () => new HybridFheModel(null!, ["layer"]))),
        ["HybridFHEModel unknown module name"] = Probe.Kept(recorded =>
        {
            using var model = nn.Sequential(nn.Linear(2, 2));
            var error = Assert.Throws<ArgumentException>(() => new HybridFheModel(model, ["nope"]));
            Assert.StartsWith("No module found for name nope in ", FirstArgument(recorded), StringComparison.Ordinal);
            Assert.StartsWith("No module found for name 'nope' in 'Sequential'; it has '0'.", error.Message, StringComparison.Ordinal);
        }),
        ["set_fhe_mode unknown"] = Probe.Kept(recorded =>
            AssertSays(FirstArgument(recorded).Replace("HybridFHEMode", "HybridFheMode", StringComparison.Ordinal), Assert.Throws<ArgumentException>(() => HybridFheModes.Parse("bar")))),
        ["remote modules' mode before any call"] = Probe.Mended("remote modules begin in mode `calibrate`", recorded =>
        {
            using var dummy = Dummy();
            Assert.Equal(recorded["returns"]["module"].Members.Select(entry => entry.Name), dummy.Trainer.HybridModel.ModuleNames);
            Assert.All(dummy.Trainer.HybridModel.RemoteModules, module => Assert.Equal(HybridFheMode.Torch, module.Mode));
            var byDefault = typeof(HybridFheModel).GetMethod(nameof(HybridFheModel.Forward))!.GetParameters()[1].DefaultValue;
            Assert.Equal(recorded["returns"]["hybrid default fhe"].AsString, ((HybridFheMode)byDefault!).ToPythonName());
        }),
    };

    private static LoraModel Gpt2() => LoraModel.Apply(
        new Gpt2LMHeadModel(Gpt2Config.Parse("""{"model_type": "gpt2", "vocab_size": 32, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2}""")),
        new LoraConfig { R = 2, TargetModules = ["c_attn"], FanInFanOut = true });

    private static TorchSharp.Modules.Sequential Substrings() => nn.Sequential(
        ("my_lora_block", nn.Sequential(("0", nn.Linear(2, 2)))), ("Lora", nn.Linear(2, 2)),
        ("blk", nn.Sequential(("lm_head_x", nn.Linear(2, 2)), ("e", nn.Embedding(2, 2)))), ("c", nn.Conv2d(1, 1, 1)));
}
