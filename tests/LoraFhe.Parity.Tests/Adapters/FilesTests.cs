using System.Text.Json;
using LoraFhe.Fixtures;
using LoraFhe.Models;
using LoraFhe.Safetensors;
using TorchSharp;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>What is written for an adapter is what peft writes, key by key.</summary>
public sealed class FilesTests
{
    private const string ConfigFile = "adapter_config.json";
    private const string WeightsFile = "adapter_model.safetensors";

    [Theory]
    [Recorded("adapters", "name!=llama-bf16file", "name!=gpt2-f16file")]
    public void Loaded_and_saved_again_an_adapter_is_the_same_bytes(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = recorded.Load();

        model.SavePretrained(folder.Path, saveEmbeddingLayers: SavesEmbeddings(name));

        Assert.Equal(File.ReadAllBytes(recorded.Golden.File(WeightsFile)), File.ReadAllBytes(folder.At(WeightsFile)));
        Assert.Equal([ConfigFile, WeightsFile], folder.Names());
    }

    // Read into single precision, as in Python, and so written.
    [Theory]
    [Recorded("adapters", "name=llama-bf16file")]
    [Recorded("adapters", "name=gpt2-f16file")]
    public void A_file_in_half_precision_is_saved_again_with_its_values_in_single_precision(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = recorded.Load();

        model.SavePretrained(folder.Path);

        using var written = SafetensorsFile.Open(folder.At(WeightsFile));
        var expected = recorded.Golden.Tensors(WeightsFile);
        Assert.Equal(expected.Metadata, written.Metadata);
        Assert.Equal(Forms(expected, SafetensorsDType.F32), Forms(written));
        Assert.All(written.Entries, entry => Assert.Equal(expected.ReadSingles(entry.Name), written.ReadSingles(entry.Name)));
    }

    [Theory]
    [Recorded("adapters")]
    public void A_fresh_adapter_is_written_under_the_same_names_in_the_same_forms(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden));

        model.SavePretrained(folder.Path, saveEmbeddingLayers: SavesEmbeddings(name), convertToLora: name == "llama-init-pissa-converted");

        using var written = SafetensorsFile.Open(folder.At(WeightsFile));
        var isHalf = name is "llama-bf16file" or "gpt2-f16file";
        var tensors = recorded.Expected["adapter_file"]["tensors"].Members.Select(member =>
            $"{member.Name} {(isHalf ? "F32" : member.Value["dtype"].AsString)} {string.Join(',', member.Value["shape"].AsInt64s)}");
        Assert.Equal(tensors.Order(StringComparer.Ordinal), Forms(written));
        Assert.Equal(recorded.Expected["adapter_file"]["metadata"].Members.Select(member => KeyValuePair.Create(member.Name, member.Value.AsString)), written.Metadata);
    }

    [Theory]
    [Recorded("adapters")]
    public void The_options_of_a_file_are_written_again_as_they_were(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = recorded.Load();

        model.SavePretrained(folder.Path);

        var (expected, written) = (Members(recorded.Golden.File(ConfigFile)), Members(folder.At(ConfigFile)));

        // A file of peft 0.4 lacks what came since; what is written for that says nothing.
        var added = name == "llama-oldconfig" ? written.Keys.Except(expected.Keys).ToList() : [];
        Assert.Equal(name == "llama-oldconfig" ? expected.Keys.Order(StringComparer.Ordinal) : expected.Keys, written.Keys.Except(added));
        Assert.All(added, key => Assert.True(written[key].ValueKind is JsonValueKind.Null or JsonValueKind.False || written[key].GetRawText() == "{}", key));
        Assert.All(expected, member => AssertEqual(member.Key, member.Value, written[member.Key]));
    }

    [Theory]
    [Recorded("adapters")]
    public void The_options_of_a_fresh_adapter_are_written_as_in_Python(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(
            recorded.Bare(), RecordedOptions.Read(recorded.Golden) with { BaseModelNameOrPath = recorded.Expected["base_model"].AsString });

        model.SavePretrained(folder.Path, convertToLora: name == "llama-init-pissa-converted");

        var (expected, written) = (Members(recorded.Golden.File(ConfigFile)), Members(folder.At(ConfigFile)));
        Assert.Equal(written.Keys.Order(StringComparer.Ordinal), written.Keys);
        foreach (var (key, value) in expected)
        {
            if (written.TryGetValue(key, out var own))
            {
                AssertEqual(key, value, own);
            }
            else
            {
                // Newer than any key that each peft knows, and not set.
                Assert.True(IsDefault(key, value), $"'{key}' is {value}, and is not written");
            }
        }
    }

    [Fact]
    public void The_recorded_adapter_of_the_shipped_model_makes_the_round_trip()
    {
        var recorded = RepositoryFolder.Fixture("lora", "tiny-austen-proverbs", "adapter");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", "tiny-austen")), recorded);

        model.SavePretrained(folder.Path);

        Assert.Equal(File.ReadAllBytes(Path.Combine(recorded, WeightsFile)), File.ReadAllBytes(folder.At(WeightsFile)));
        var (expected, written) = (Members(Path.Combine(recorded, ConfigFile)), Members(folder.At(ConfigFile)));
        Assert.Equal(expected.Keys, written.Keys);
        Assert.All(expected, member => AssertEqual(member.Key, member.Value, written[member.Key]));
    }

    [Theory]
    [InlineData("llama-embedding", true)]
    [InlineData("llama-lmhead-target", true)]
    [InlineData("gpt2-embedding", false)]
    public void The_tables_own_weight_is_written_where_peft_writes_it_and_read_back(string name, bool isWritten)
    {
        using var recorded = AdapterCase.Open(name);
        using var folder = new TemporaryFolder();
        using var model = recorded.Load();
        var weight = Table(model);
        using (torch.no_grad())
        {
            weight.add_(1);
        }

        model.SavePretrained(folder.Path);
        using var again = LoraModel.FromPretrained(recorded.Bare(), folder.Path);

        Assert.Equal(isWritten, weight.equal(Table(again)).all().item<bool>());

        static TorchSharp.Modules.Parameter Table(LoraModel model) =>
            model.AdaptedLayers.First(entry => entry.Name is "model.embed_tokens" or "lm_head" or "transformer.wte").Layer.BaseLayer.get_parameter("weight")!;
    }

    private static bool SavesEmbeddings(string name) => name != "llama-embedding-nosave";

    private static bool IsDefault(string key, JsonElement value) =>
        value.ValueKind is JsonValueKind.Null or JsonValueKind.False || value.GetRawText() == "{}" || key is "megatron_core" or "peft_version" or "qalora_group_size";

    private static IEnumerable<string> Forms(SafetensorsFile file, SafetensorsDType? type = null) => file.Entries
        .Select(entry => $"{entry.Name} {type ?? entry.DType} {string.Join(',', entry.Shape)}").Order(StringComparer.Ordinal);

    private static OrderedDictionary<string, JsonElement> Members(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return new(document.RootElement.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value.Clone())));
    }

    // Lists of names are sets in peft: their order is arbitrary. One layer's number may stand alone there, but is a list here unless a file had it alone.
    private static void AssertEqual(string key, JsonElement expected, JsonElement actual)
    {
        var areEqual = key is "target_modules" or "exclude_modules" && expected.ValueKind == JsonValueKind.Array && actual.ValueKind == JsonValueKind.Array
            ? Sorted(expected).SequenceEqual(Sorted(actual))
            : JsonElement.DeepEquals(expected, actual) || (actual.ValueKind == JsonValueKind.Array && actual.GetArrayLength() == 1 && JsonElement.DeepEquals(expected, actual[0]));
        Assert.True(areEqual, $"'{key}' is {actual}; {expected} was expected");

        static IEnumerable<string?> Sorted(JsonElement list) => list.EnumerateArray().Select(item => item.GetString()).Order(StringComparer.Ordinal);
    }
}
