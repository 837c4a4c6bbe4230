using System.Text.Json;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>The modules of a recorded language model, by its file's names and shapes, without a forward: enough for names, counts and files.</summary>
internal sealed class SkeletonModel : nn.Module, IPretrainedModel
{
    private readonly Node _root;

    private SkeletonModel(string modelType, string name) : base(nameof(SkeletonModel))
    {
        (ModelType, NameOrPath) = (modelType, name);
        _root = new Node(this);
    }

    public string ModelType { get; }

    public string? NameOrPath { get; }

    public nn.Module? OutputEmbeddings { get; private set; }

    /// <summary>Builds the modules of <c>tests/fixtures/{name}</c>.</summary>
    public static SkeletonModel Of(string name) => OfFolder(RepositoryFolder.Fixture(name.Split('/')), name);

    /// <summary>Builds the modules of a model's folder.</summary>
    public static SkeletonModel OfFolder(string folder, string? name = null)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        using var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var model = new SkeletonModel(config.RootElement.GetProperty("model_type").GetString()!, name ?? Path.GetFileName(folder));
        foreach (var weight in file.Entries.Where(entry => entry.Name.EndsWith(".weight", StringComparison.Ordinal)))
        {
            var path = weight.Name[..^".weight".Length];
            model._root.Add(path.Split('.'), Make(path, weight.Shape, file.Contains(path + ".bias")));
        }

        model.Fill(file);
        if (!config.RootElement.GetProperty("architectures")[0].GetString()!.EndsWith("ForSequenceClassification", StringComparison.Ordinal))
        {
            model.OutputEmbeddings = model.AddOutputLayer();
        }

        return model;
    }

    /// <summary>Builds a model of given modules.</summary>
    public static SkeletonModel Of(string modelType, IEnumerable<(string Path, nn.Module Module)> modules)
    {
        var model = new SkeletonModel(modelType, modelType);
        foreach (var (path, module) in modules)
        {
            model._root.Add(path.Split('.'), module);
        }

        return model;
    }

    private static nn.Module Make(string path, IReadOnlyList<long> shape, bool hasBias)
    {
        var last = path[(path.LastIndexOf('.') + 1)..];
        return (shape.Count, last) switch
        {
            (1, _) => nn.LayerNorm(shape[0], bias: hasBias),
            (_, "wte" or "wpe" or "embed_tokens") => nn.Embedding(shape[0], shape[1]),
            (_, "c_attn" or "c_proj" or "c_fc") => new Conv1D(shape[0], shape[1], hasBias),
            _ => nn.Linear(shape[1], shape[0], hasBias),
        };
    }

    private void Fill(SafetensorsFile file)
    {
        using var noGradients = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            using var scope = NewDisposeScope();
            parameter.copy_(tensor(file.ReadSingles(name), parameter.shape));
        }
    }

    // A tied output layer is not in the file; it shares the embedding's weight.
    private nn.Module AddOutputLayer()
    {
        if (named_children().FirstOrDefault(child => child.name == "lm_head").module is { } untied)
        {
            return untied;
        }

        var embedding = ModuleSurgery.Descendants(this).Where(place => place.ChildName is "wte" or "embed_tokens").Select(place => place.Module).OfType<Embedding>().First();
        var tied = nn.Linear(embedding.weight!);
        _root.Add(["lm_head"], tied);
        return tied;
    }

    private sealed class Node(nn.Module module)
    {
        // The list that surgery finds: a registered child alone is no place to put anything.
        private readonly Dictionary<string, Node> _children = [];

        public void Add(ReadOnlySpan<string> path, nn.Module leaf)
        {
            if (!_children.TryGetValue(path[0], out var child))
            {
                var made = path.Length == 1 ? leaf : new Branch(path[0]);
                _children.Add(path[0], child = new Node(made));
                (module as Branch)?.Children.Add(path[0], made);
                (module as SkeletonModel)?.Children.Add(path[0], made);
                module.register_module(path[0], made);
            }

            if (path.Length > 1)
            {
                child.Add(path[1..], leaf);
            }
        }
    }

    private Dictionary<string, nn.Module> Children { get; } = [];

    private sealed class Branch(string name) : nn.Module(name)
    {
        public Dictionary<string, nn.Module> Children { get; } = [];
    }
}
