using LoraFhe.Fixtures;
using LoraFhe.Safetensors;

namespace LoraFhe.Models.Tests;

/// <summary>The ways in which GPT-2's are stored, and what is refused among them.</summary>
public sealed class Gpt2FolderTests
{
    private const string Weights = "model.safetensors";

    [Fact]
    public void Names_may_lack_the_prefix_and_masks_of_old_files_are_passed_over_with_or_without_it()
    {
        using var folder = Copy("gpt2-noprefix");
        using var plain = CausalLanguageModel.FromPretrained(folder.Path);
        Rewrite(folder, tensors => tensors.Select(tensor => tensor with { Name = "transformer." + tensor.Name }));

        using var prefixed = CausalLanguageModel.FromPretrained(folder.Path);

        Assert.All(plain.named_parameters().Zip(prefixed.named_parameters()), pair => Assert.True(pair.First.parameter.Equals(pair.Second.parameter), pair.First.name));
    }

    [Fact]
    public void A_missing_tensor_is_named_as_the_file_would_name_it() =>
        Refused("gpt2-noprefix", "model.safetensors: missing tensor 'ln_f.bias'; the model needs it.", tensors => tensors.Where(tensor => tensor.Name != "ln_f.bias"));

    [Fact]
    public void A_bias_of_the_joint_layer_is_no_mask() =>
        Refused("gpt2-noprefix", "missing tensor 'h.0.attn.c_attn.bias'", tensors => tensors.Where(tensor => tensor.Name != "h.0.attn.c_attn.bias"));

    [Fact]
    public void Names_with_and_without_the_prefix_do_not_mix() =>
        Refused("gpt2-noprefix", "model.safetensors: missing 27 tensors: 'transformer.wpe.weight'", tensors =>
            tensors.Select(tensor => tensor.Name == "wte.weight" ? tensor with { Name = "transformer.wte.weight" } : tensor));

    [Fact]
    public void Weights_of_a_layer_that_is_stored_the_other_way_round_are_refused() =>
        Refused("gpt2-base", "'transformer.h.0.mlp.c_fc.weight' is [192, 48]; the model needs [48, 192].", tensors =>
            tensors.Select(tensor => tensor.Name == "transformer.h.0.mlp.c_fc.weight" ? tensor with { Shape = [192, 48] } : tensor));

    [Fact]
    public void Weights_of_cross_attention_are_refused() =>
        Refused("gpt2-base", "unexpected tensor 'transformer.h.0.crossattention.c_attn.bias'", tensors =>
            [.. tensors, new SafetensorsTensor("transformer.h.0.crossattention.c_attn.bias", SafetensorsDType.F32, [1], new byte[4])]);

    [Fact]
    public void A_tied_head_that_is_stored_again_must_be_equal()
    {
        using var folder = Copy("gpt2-noprefix");
        Rewrite(folder, tensors => [.. tensors, tensors.Single(tensor => tensor.Name == "wte.weight") with { Name = "lm_head.weight" }]);
        using (CausalLanguageModel.FromPretrained(folder.Path))
        {
        }

        Rewrite(folder, tensors => tensors.Select(tensor => tensor.Name == "lm_head.weight" ? tensor with { Data = new byte[tensor.Data.Length] } : tensor));
        Assert.Contains(
            "'lm_head.weight' differs from 'wte.weight', though config.json ties them.",
            Assert.Throws<InvalidDataException>(() => CausalLanguageModel.FromPretrained(folder.Path)).Message,
            StringComparison.Ordinal);
    }

    private static void Refused(string name, string text, Func<IReadOnlyList<SafetensorsTensor>, IEnumerable<SafetensorsTensor>> change)
    {
        using var folder = Copy(name);
        Rewrite(folder, change);
        Assert.Contains(text, Assert.Throws<InvalidDataException>(() => CausalLanguageModel.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static TemporaryFolder Copy(string name)
    {
        var folder = new TemporaryFolder();
        foreach (var file in new[] { "config.json", Weights })
        {
            File.Copy(RepositoryFolder.Fixture("models", name, file), folder.At(file));
        }

        return folder;
    }

    private static void Rewrite(TemporaryFolder folder, Func<IReadOnlyList<SafetensorsTensor>, IEnumerable<SafetensorsTensor>> change)
    {
        List<SafetensorsTensor> tensors;
        using (var file = SafetensorsFile.Open(folder.At(Weights)))
        {
            tensors = [.. file.Entries.Select(entry => new SafetensorsTensor(entry.Name, entry.DType, entry.Shape, file.Bytes(entry.Name).ToArray()))];
        }

        SafetensorsWriter.Write(folder.At(Weights), change(tensors));
    }
}
