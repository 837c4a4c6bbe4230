using LoraFhe.Fixtures;
using LoraFhe.Tests;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>What a user is told of an adapter that can be made: what Python says of the model is said here too, and as early.</summary>
public sealed class WarningsTests
{
    private const string SaysNothing = "";

    [Theory]
    [Recorded("adapters")]
    public void A_user_who_makes_it_is_warned_of_what_Python_warns_of(string name)
    {
        using var recorded = AdapterCase.Open(name);
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden), logger: logger);

        // How a weight is stored is found from its layer: there is nothing to set wrong.
        AssertPython(recorded, "create", name == "gpt2-fifo-false" ? "Setting fan_in_fan_out to True" : OfTheModel(name).InPython);
        Assert.Equal(OfTheModel(name).Here, logger.Lines);
    }

    [Theory]
    [Recorded("adapters")]
    public void A_user_who_loads_it_is_warned_of_what_Python_warns_of_and_who_saves_or_merges_it_was_warned_before(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        var logger = new RecordingLogger();
        using var model = LoraModel.FromPretrained(recorded.Bare(), recorded.Folder, logger: logger);
        model.SavePretrained(folder.Path);
        if (recorded.Expected["merge_error"].IsNull)
        {
            model.MergeAdapter();
        }

        AssertPython(recorded, "load", OfTheModel(name).InPython);
        AssertPython(recorded, "save", OfSaving(name));
        AssertPython(recorded, "merge", name == "gpt2-save-lmhead" ? "Input and output embeddings are no longer tied after merging" : SaysNothing);
        Assert.Equal(OfTheModel(name).Here, logger.Lines);
    }

    private static void AssertPython(AdapterCase recorded, string when, string text)
    {
        var warnings = recorded.Expected["warnings"][when].AsStrings;
        Assert.Equal(text == SaysNothing ? 0 : 1, warnings.Length);
        Assert.All(warnings, warning => Assert.Contains(text, warning, StringComparison.Ordinal));
    }

    private static (string InPython, string[] Here) OfTheModel(string name) => name switch
    {
        "llama-lorabias-nobase" => ("merging LoRA weights won't be possible", [.. from layer in new[] { 0, 1 }
            from projection in new[] { "q_proj", "v_proj" }
            select $"Layer 'model.layers.{layer}.self_attn.{projection}' has no bias: with LoraBias its adapter cannot be merged."]),
        "gpt2-save-lmhead" => ("a tied layer is part of the adapter",
            ["'lm_head' shares its weight with 'transformer.wte': the copy that is trained whole does not, nor does the model once it is merged."]),

        // Python says nothing, though the merged model answers otherwise by 18.
        "gpt2-embedding" => (SaysNothing, ["'transformer.wte' shares its weight with 'lm_head', beside which the adapter does not stand: merged, it changes both."]),
        _ => (SaysNothing, []),
    };

    private static string OfSaving(string name) => name switch
    {
        // The default, here as there, and documented.
        "llama-embedding" or "llama-lmhead-target" => "Setting `save_embedding_layers` to `True`",

        // The case was then saved converted, as this advises.
        "llama-init-pissa-converted" => "Consider converting the PiSSA adapter into a normal LoRA adapter",

        // A false alarm: a bias has one dimension, and the file is whole.
        "llama-lorabias" or "llama-lorabias-nobase" => "LoRA tensor(s) have invalid shape",
        _ => SaysNothing,
    };
}
