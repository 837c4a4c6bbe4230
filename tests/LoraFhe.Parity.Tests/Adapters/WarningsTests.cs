using LoraFhe.Tests;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>What a user is told of an adapter that can be made.</summary>
public sealed class WarningsTests
{
    [Theory]
    [Recorded("adapters")]
    public void A_user_is_warned_of_what_Python_warns_of(string name)
    {
        using var recorded = AdapterCase.Open(name);
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden), logger: logger);

        var (inPython, here) = Warnings(name);
        Assert.Equal(inPython.Length > 0 ? 1 : 0, recorded.Expected["warnings"]["create"].Items.Count());
        Assert.All(recorded.Expected["warnings"]["create"].Items, warning => Assert.Contains(inPython, warning.AsString, StringComparison.Ordinal));
        Assert.Equal(here, logger.Lines);
    }

    private static (string InPython, string[] Here) Warnings(string name) => name switch
    {
        "llama-lorabias-nobase" => ("merging LoRA weights won't be possible", [.. from layer in new[] { 0, 1 }
            from projection in new[] { "q_proj", "v_proj" }
            select $"Layer 'model.layers.{layer}.self_attn.{projection}' has no bias: with LoraBias its adapter cannot be merged."]),
        "gpt2-save-lmhead" => ("a tied layer is part of the adapter",
            ["'lm_head' shares its weight with 'transformer.wte': the copy that is trained whole does not, nor does the model once it is merged."]),

        // Python says nothing, though the merged model answers otherwise by 18.
        "gpt2-embedding" => ("", ["'transformer.wte' shares its weight with 'lm_head', beside which the adapter does not stand: merged, it changes both."]),

        // How a weight is stored is found from its layer: there is nothing to set wrong.
        "gpt2-fifo-false" => ("Setting fan_in_fan_out to True", []),
        _ => ("", []),
    };
}
