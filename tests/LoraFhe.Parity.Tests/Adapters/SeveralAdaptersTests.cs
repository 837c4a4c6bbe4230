using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>Recorded adapters beside each other on one model.</summary>
public sealed class SeveralAdaptersTests
{
    [Theory]
    [InlineData("llama-list", "llama-r16")]
    [InlineData("llama-layers-int", "llama-all-linear")]
    [InlineData("llama-all-linear", "llama-layers-list")]
    [InlineData("llama-dora", "llama-embedding")]
    [InlineData("gpt2-rslora", "gpt2-dora")]
    public void Each_gives_its_own_answers(string first, string second)
    {
        using var scope = NewDisposeScope();
        using var one = AdapterCase.Open(first);
        using var other = AdapterCase.Open(second);
        using var adapted = one.Load();
        var model = adapted.Model;

        adapted.LoadAdapter(other.Folder, "other");

        one.AssertLogits("logits_adapter", one.Answer(model).Logits!);
        adapted.SetAdapter("other");
        other.AssertLogits("logits_adapter", other.Answer(model).Logits!);
        adapted.MergeAdapter();
        other.AssertLogits("logits_merged", other.Answer(model).Logits!);
        adapted.SetAdapter("default");
        one.AssertLogits("logits_adapter", one.Answer(model).Logits!);
        adapted.DeleteAdapter("other");
        one.AssertLogits("logits_adapter", one.Answer(model).Logits!);
        adapted.MergeAndUnload();
        one.AssertLogits("logits_merged", one.Answer(model).Logits!);
    }
}
