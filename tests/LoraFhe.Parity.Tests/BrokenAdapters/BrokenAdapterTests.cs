using LoraFhe.Models;
using LoraFhe.Parity.Tests.Adapters;
using LoraFhe.Tests;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.BrokenAdapters;

/// <summary>Faulty adapter folders: where peft 0.21.2 fails, so do we; what it accepts answers as there, or is refused, and then <see cref="Verdicts.Stricter"/> says why.</summary>
public sealed class BrokenAdapterTests
{
    private const string Family = "adapters-broken";

    // These cases state none; the fixtures' README gives it for logits in single precision.
    private const double LogitTolerance = 1e-4;

    [Theory]
    [Recorded(Family, "outcome=error")]
    public void What_Python_refuses_is_refused_by_file_and_key(string name)
    {
        using var recorded = AdapterCase.Open(name, Family);

        AssertRefused(recorded, Verdicts.Refused[name]);
    }

    [Theory]
    [Recorded(Family, "outcome=accepted")]
    public void What_Python_accepts_answers_as_there_or_is_refused_by_file_and_key(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name, Family);
        if (Verdicts.Stricter.TryGetValue(name, out var verdict))
        {
            AssertRefused(recorded, verdict.Message);
            return;
        }

        var logger = new RecordingLogger();
        using var adapted = LoraModel.FromPretrained(recorded.Bare(), recorded.Folder, logger: logger);
        using var bare = recorded.Bare();
        using var intact = AdapterCase.Open("llama-default");
        using var whole = intact.Load();
        var logits = Logits(adapted.Model, intact);

        Close.Within(LogitTolerance, recorded.Golden.SingleTensor("io", "logits"), Logits(adapted.Model, recorded), name);
        Assert.True(recorded.Expected["logits_finite"].AsBoolean);
        Assert.Equal(recorded.Expected["logits_equal_base_model"].AsBoolean, AreEqual(Logits(bare, intact), logits));
        Assert.Equal(recorded.Expected["logits_equal_intact_adapter"].AsBoolean, AreEqual(Logits(whole.Model, intact), logits));

        // Of what peft warns, a user is warned here.
        Assert.True(recorded.Expected["warnings"].Items.Count() <= logger.Lines.Count, name);
        Assert.Equal(Warnings(name), logger.Lines.Select(line => line.Replace("use_super_lora, some_future_option", "some_future_option, use_super_lora", StringComparison.Ordinal)));
    }

    private static Tensor Logits(nn.Module model, AdapterCase batch) =>
        ((PretrainedModel)model).call(batch.Golden.Int64Tensor("io", "input_ids"), null, null).Logits!;

    // peft says nothing of a target without a layer.
    private static string[] Warnings(string name) => name switch
    {
        "future-key" => ["adapter_config.json: unknown options are ignored: some_future_option, use_super_lora."],
        "target-partial-match" => ["Target module 'nonexistent_proj' matches no layer of 'LlamaForCausalLM'."],
        _ => [],
    };

    private static void AssertRefused(AdapterCase recorded, string message)
    {
        using var model = recorded.Bare();
        var names = model.named_parameters().Select(entry => entry.name).ToArray();

        var error = Assert.ThrowsAny<Exception>(() => LoraModel.FromPretrained(model, recorded.Folder));

        Assert.True(error is InvalidDataException or FileNotFoundException, error.GetType().Name);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(names, model.named_parameters().Select(entry => entry.name));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    private static bool AreEqual(Tensor expected, Tensor actual) => expected.allclose(actual, rtol: 0, atol: 1e-6);
}
