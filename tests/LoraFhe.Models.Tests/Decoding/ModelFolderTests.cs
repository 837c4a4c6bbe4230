using System.Runtime.InteropServices;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Folders that are not what they should be are refused before a model is made, with the file and the tensor.</summary>
public sealed class ModelFolderTests
{
    private const string Sharded = "llama-sharded";
    private const string Index = "model.safetensors.index.json";
    private const string Head = LlamaTensors.OutputEmbedding;

    [Fact]
    public void The_right_family_is_loaded_from_a_folder()
    {
        using var model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", "llama-gqa"));

        Assert.IsType<LlamaForCausalLM>(model);
        Assert.Equal(("llama", 300, 128), (model.ModelType, model.VocabularySize, model.MaxPositions));
        Assert.Equal([2], model.EndOfSequenceIds);
        Assert.Equal(RepositoryFolder.Fixture("models", "llama-gqa"), model.NameOrPath);
        Assert.Same(Assert.Single(model.named_children(), child => child.name == "lm_head").module, model.OutputEmbeddings);
    }

    [Fact]
    public void Another_family_is_refused_with_what_is_supported() =>
        Refused<InvalidDataException>(
            "config.json: 'model_type' is \"mistral\", which is not supported; 'gpt2' and 'llama' are.",
            folder => folder.Write("config.json", """{ "model_type": "mistral" }"""));

    [Fact]
    public void A_folder_without_a_family_is_refused() =>
        Refused<InvalidDataException>("config.json: 'model_type' is missing.", folder => folder.Write("config.json", "{}"));

    [Fact]
    public void A_missing_folder_is_named() =>
        Assert.Contains("There is no folder '/no/such/folder'.", Assert.Throws<DirectoryNotFoundException>(
            () => CausalLanguageModel.FromPretrained("/no/such/folder")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_relative_path_is_told_in_full_for_a_program_may_run_elsewhere_than_its_author_thinks()
    {
        var full = Path.GetFullPath("no/such/folder");

        Assert.Contains($"'{full}'", Assert.Throws<DirectoryNotFoundException>(() => CausalLanguageModel.FromPretrained("no/such/folder")).Message, StringComparison.Ordinal);
        Assert.Contains($"'{full}'", Assert.Throws<FileNotFoundException>(() => PretrainedTokenizer.FromPretrained("no/such/folder")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_configuration_is_named() =>
        Refused<FileNotFoundException>("has no config.json", folder => File.Delete(folder.At("config.json")));

    [Fact]
    public void Missing_weights_are_named() =>
        Refused<FileNotFoundException>("has neither model.safetensors nor model.safetensors.index.json.", folder =>
            File.Delete(folder.At("model.safetensors")));

    [Fact]
    public void Pickled_weights_are_named_with_the_cure() =>
        Refused<FileNotFoundException>("has its weights in pytorch_model.bin only, which cannot be read here. Save", folder =>
            File.Move(folder.At("model.safetensors"), folder.At("pytorch_model.bin")));

    [Fact]
    public void A_damaged_file_is_named() =>
        Refused<InvalidDataException>("model.safetensors", folder => folder.Write("model.safetensors", "not a safetensors file"));

    [Fact]
    public void A_missing_tensor_is_named_with_its_file() =>
        Refused<InvalidDataException>("model.safetensors: missing tensor 'model.norm.weight'; the model needs it.", folder =>
            Rewrite(folder, tensors => tensors.Where(t => t.Name != "model.norm.weight")));

    [Fact]
    public void More_layers_than_the_file_has_are_refused_without_an_endless_list() =>
        Refused<InvalidDataException>("model.safetensors: missing 22 tensors: 'model.layers.2.self_attn.q_proj.weight'", folder =>
            Reconfigure(folder, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000"));

    [Fact]
    public void An_unexpected_tensor_is_named_with_its_file() =>
        Refused<InvalidDataException>("model.safetensors: unexpected tensor 'score.weight'; the model has no such parameter.", folder =>
            Rewrite(folder, tensors => [.. tensors, new SafetensorsTensor("score.weight", SafetensorsDType.F32, [1], new byte[4])]));

    [Fact]
    public void A_wrong_shape_is_refused_with_both_shapes_before_memory_is_taken() =>
        Refused<InvalidDataException>("safetensors: 'model.embed_tokens.weight' is [300, 48]; the model needs [2000000000, 48].", folder =>
            Reconfigure(folder, "\"vocab_size\": 300", "\"vocab_size\": 2000000000"));

    [Fact]
    public void A_tensor_of_integers_is_refused() =>
        Refused<InvalidDataException>("model.safetensors: 'model.norm.weight' is I32; expected F32, F16, BF16 or F64.", folder =>
            Rewrite(folder, tensors => tensors.Select(t => t.Name == "model.norm.weight" ? t with { DType = SafetensorsDType.I32 } : t)));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_no_finite_number_is_refused(float value) =>
        Refused<InvalidDataException>("model.safetensors: 'model.layers.1.self_attn.q_proj.weight' has values that are infinite or no numbers.", folder =>
            Rewrite(folder, tensors => tensors.Select(t => t.Name == "model.layers.1.self_attn.q_proj.weight" ? t with { Data = WithLast(t.Data, value) } : t)));

    [Fact]
    public void A_shard_that_is_missing_is_named() =>
        Refused<FileNotFoundException>(
            "model.safetensors.index.json names 'model-00002-of-00004.safetensors', which",
            folder => File.Delete(folder.At("model-00002-of-00004.safetensors")),
            Sharded);

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/model.safetensors")]
    [InlineData("sub\\\\model.safetensors")]
    [InlineData("model.bin")]
    public void A_shard_outside_the_folder_is_refused(string shard) =>
        Refused<InvalidDataException>("which is not the name of a .safetensors file of the same folder.", folder =>
            Replace(folder, Index, "model-00002-of-00004.safetensors", shard), Sharded);

    [Fact]
    public void An_index_that_puts_a_tensor_in_the_wrong_shard_is_refused() =>
        Refused<InvalidDataException>("model.safetensors.index.json says it is there.", folder =>
            Replace(folder, Index, "\"model.norm.weight\": \"model-00003", "\"model.norm.weight\": \"model-00001"), Sharded);

    [Fact]
    public void An_index_without_a_map_is_refused() =>
        Refused<InvalidDataException>(
            "model.safetensors.index.json: 'weight_map' is missing.", folder => folder.Write(Index, "{}"), Sharded);

    [Fact]
    public void A_tensor_in_two_shards_is_refused() =>
        Refused<InvalidDataException>("is in both model-00001-of-00004.safetensors and model-00002-of-00004.safetensors.", folder =>
            File.Copy(folder.At("model-00001-of-00004.safetensors"), folder.At("model-00002-of-00004.safetensors"), true), Sharded);

    [Fact]
    public void A_tied_model_may_hold_its_head_again_but_not_another_one()
    {
        using var folder = Copy("llama-tied");
        Rewrite(folder, tensors => [.. tensors, tensors.Single(t => t.Name == LlamaTensors.Embedding) with { Name = Head }]);
        using (LlamaForCausalLM.FromPretrained(folder.Path))
        {
        }

        Rewrite(folder, tensors => tensors.Select(t => t.Name == Head ? t with { Data = new byte[t.Data.Length] } : t));
        Assert.Contains(
            "'lm_head.weight' differs from 'model.embed_tokens.weight', though config.json ties them.",
            Assert.Throws<InvalidDataException>(() => LlamaForCausalLM.FromPretrained(folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_tokens_of_the_generation_file_come_before_the_configuration()
    {
        using var folder = Copy("llama-gqa");
        folder.Write("generation_config.json", """{ "eos_token_id": [7, 8] }""");
        using (var model = LlamaForCausalLM.FromPretrained(folder.Path))
        {
            Assert.Equal([7, 8], model.EndOfSequenceIds);
        }

        File.Delete(folder.At("generation_config.json"));
        using (var model = LlamaForCausalLM.FromPretrained(folder.Path))
        {
            Assert.Equal([2], model.EndOfSequenceIds);
        }
    }

    [Fact]
    public void Double_precision_weights_are_rounded_to_single()
    {
        using var folder = Copy("llama-gqa");
        Rewrite(folder, tensors => tensors.Select(t => t with
        {
            DType = SafetensorsDType.F64,
            Data = Widen(t.Data.Span),
        }));

        using var scope = NewDisposeScope();
        using var model = LlamaForCausalLM.FromPretrained(folder.Path);
        using var plain = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", "llama-gqa"));
        Assert.All(model.parameters().Zip(plain.parameters()), pair => Assert.True(pair.First.Equals(pair.Second)));
    }

    private static void Refused<TException>(string text, Action<TemporaryFolder> spoil, string source = "llama-gqa")
        where TException : Exception
    {
        using var folder = Copy(source);
        spoil(folder);
        var exception = Assert.Throws<TException>(() => CausalLanguageModel.FromPretrained(folder.Path));
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
    }

    private static byte[] WithLast(ReadOnlyMemory<byte> singles, float value)
    {
        var data = singles.ToArray();
        MemoryMarshal.Cast<byte, float>(data.AsSpan())[^1] = value;
        return data;
    }

    private static byte[] Widen(ReadOnlySpan<byte> singles)
    {
        var doubles = Array.ConvertAll(MemoryMarshal.Cast<byte, float>(singles).ToArray(), value => (double)value);
        return MemoryMarshal.AsBytes<double>(doubles).ToArray();
    }

    private static TemporaryFolder Copy(string source)
    {
        var folder = new TemporaryFolder();
        var files = Directory.EnumerateFiles(RepositoryFolder.Fixture("models", source));
        foreach (var file in files.Where(file => !Path.GetFileName(file).StartsWith("io.", StringComparison.Ordinal)))
        {
            File.Copy(file, folder.At(Path.GetFileName(file)));
        }

        return folder;
    }

    private static void Reconfigure(TemporaryFolder folder, string from, string to) => Replace(folder, "config.json", from, to);

    private static void Replace(TemporaryFolder folder, string file, string from, string to)
    {
        var text = File.ReadAllText(folder.At(file));
        Assert.Contains(from, text, StringComparison.Ordinal);
        folder.Write(file, text.Replace(from, to, StringComparison.Ordinal));
    }

    private static void Rewrite(TemporaryFolder folder, Func<IReadOnlyList<SafetensorsTensor>, IEnumerable<SafetensorsTensor>> change)
    {
        List<SafetensorsTensor> tensors;
        using (var file = SafetensorsFile.Open(folder.At("model.safetensors")))
        {
            tensors = [.. file.Entries.Select(e => new SafetensorsTensor(e.Name, e.DType, e.Shape, file.Bytes(e.Name).ToArray()))];
        }

        SafetensorsWriter.Write(folder.At("model.safetensors"), change(tensors));
    }
}
