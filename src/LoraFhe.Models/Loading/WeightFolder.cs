using LoraFhe.Safetensors;

namespace LoraFhe.Models;

/// <summary>The weights of a model folder: one <c>model.safetensors</c>, or shards that <c>model.safetensors.index.json</c>
/// names.</summary>
internal sealed class WeightFolder : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";
    private const string Extension = ".safetensors";

    private readonly List<SafetensorsFile> _files;
    private readonly Dictionary<string, SafetensorsFile> _fileOf;
    private readonly string _name;
    private string _omitted = "";

    private WeightFolder(List<SafetensorsFile> files, string name)
    {
        (_files, _name) = (files, name);
        _fileOf = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var entry in file.Entries)
            {
                if (!_fileOf.TryAdd(entry.Name, file))
                {
                    throw new InvalidDataException(Errors.TensorTwice(_fileOf[entry.Name].FileName, file.FileName, entry.Name));
                }
            }
        }
    }

    /// <summary>Opens a folder's weights and checks them against what a model needs; no tensor is read yet.</summary>
    /// <exception cref="FileNotFoundException">There are no weights, or a shard is missing.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, the index does not fit the shards, or a tensor is missing, unexpected or of
    /// another shape or type.</exception>
    public static WeightFolder Open(string folder, Checkpoint checkpoint)
    {
        var weights = Open(folder);
        try
        {
            weights.Check(checkpoint);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static WeightFolder Open(string folder)
    {
        var single = Path.Combine(folder, SingleFile);
        if (File.Exists(single))
        {
            return OpenFiles(folder, [SingleFile], SingleFile);
        }

        var index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index))
        {
            var pickled = Directory.EnumerateFiles(folder, "pytorch_model*.bin").Select(Path.GetFileName).Order(StringComparer.Ordinal);
            var found = pickled.FirstOrDefault();
            var fault = found is null ? Errors.WeightsMissing(folder) : Errors.WeightsArePickled(folder, found);
            throw new FileNotFoundException(fault, single);
        }

        var map = ReadIndex(index);
        var weights = OpenFiles(folder, [.. map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], IndexFile);
        try
        {
            weights.CheckAgainst(map);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static Dictionary<string, string> ReadIndex(string index)
    {
        var json = NamedJson.ReadFile(index);
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (tensor, value) in json["weight_map"].Members)
        {
            var shard = value.Text;
            // A name with a path in it could reach any file of the machine.
            if (!shard.EndsWith(Extension, StringComparison.Ordinal) || shard.AsSpan().ContainsAny('/', '\\', '\0'))
            {
                throw new InvalidDataException(Errors.ShardName(json.File, tensor, shard));
            }

            shards[tensor] = shard;
        }

        return shards;
    }

    private static WeightFolder OpenFiles(string folder, IReadOnlyList<string> names, string source)
    {
        var files = new List<SafetensorsFile>(names.Count);
        try
        {
            foreach (var name in names)
            {
                var path = Path.Combine(folder, name);
                files.Add(File.Exists(path)
                    ? SafetensorsFile.Open(path)
                    : throw new FileNotFoundException(Errors.ShardMissing(source, folder, name), path));
            }

            return new WeightFolder(files, source);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    private void CheckAgainst(Dictionary<string, string> map)
    {
        foreach (var (tensor, shard) in map)
        {
            if (!_fileOf.TryGetValue(tensor, out var file) || file.FileName != shard)
            {
                throw new InvalidDataException(Errors.ShardLacksTensor(IndexFile, shard, tensor));
            }
        }
    }

    private void Check(Checkpoint checkpoint)
    {
        if (!_fileOf.Keys.Any(name => name.StartsWith(checkpoint.Prefix, StringComparison.Ordinal)))
        {
            _omitted = checkpoint.Prefix;
        }

        var unseen = new HashSet<string>(_fileOf.Keys, StringComparer.Ordinal);
        CheckNeeded(checkpoint.Tensors, unseen);
        foreach (var file in _files)
        {
            var unexpected = file.Entries.Select(entry => entry.Name).Where(name => unseen.Contains(name) && !IsKnown(name, checkpoint)).ToList();
            if (unexpected.Count > 0)
            {
                throw new InvalidDataException(Errors.TensorsUnexpected(file.FileName, unexpected));
            }
        }

        if (checkpoint.Tied is { } tied)
        {
            CheckTied(FileName(tied.Source), tied.Copy);
        }
    }

    private void CheckNeeded(IEnumerable<(string Name, long[] Shape)> needed, HashSet<string> unseen)
    {
        var missing = new List<string>();
        foreach (var (name, shape) in needed.Select(tensor => (FileName(tensor.Name), tensor.Shape)))
        {
            if (unseen.Remove(name))
            {
                CheckEntry(_fileOf[name], name, shape);
                continue;
            }

            missing.Add(name);
            if (missing.Count > _fileOf.Count)
            {
                // Far too many: a faulty layer count must not make an endless list.
                break;
            }
        }

        if (missing.Count > 0)
        {
            throw new InvalidDataException(Errors.TensorsMissing(_name, missing));
        }
    }

    private static bool IsKnown(string name, Checkpoint checkpoint) =>
        name == checkpoint.Tied?.Copy || checkpoint.IgnoredEnds.Any(end => name.EndsWith(end, StringComparison.Ordinal));

    // What a parameter is called in the files.
    private string FileName(string name) =>
        _omitted.Length > 0 && name.StartsWith(_omitted, StringComparison.Ordinal) ? name[_omitted.Length..] : name;

    private static void CheckEntry(SafetensorsFile file, string name, long[] shape)
    {
        var entry = file.Entry(name);
        if (!entry.Shape.SequenceEqual(shape))
        {
            throw new InvalidDataException(Errors.TensorShape(file.FileName, name, entry.Shape, shape));
        }

        if (entry.DType is not (SafetensorsDType.F32 or SafetensorsDType.F16 or SafetensorsDType.BF16 or SafetensorsDType.F64))
        {
            throw new InvalidDataException(Errors.TensorType(file.FileName, name, entry.DType.ToString()));
        }

        if (entry.ElementCount > Array.MaxLength / sizeof(float))
        {
            throw new InvalidDataException(Errors.TensorTooLarge(file.FileName, name));
        }
    }

    // The copy, where a file has it, is equal to the bit.
    private void CheckTied(string source, string copy)
    {
        if (_fileOf.TryGetValue(copy, out var file) && !file.Bytes(copy).SequenceEqual(_fileOf[source].Bytes(source)))
        {
            throw new InvalidDataException(Errors.TiedTensorDiffers(file.FileName, copy, source));
        }
    }

    /// <summary>Reads a tensor as single precision.</summary>
    /// <param name="name">One of those that the model needs.</param>
    /// <param name="destination">As many values as the tensor has.</param>
    public void Read(string name, Span<float> destination)
    {
        var stored = FileName(name);
        _fileOf[stored].ReadSingles(stored, destination);
    }

    /// <summary>Whether a file holds the tensor.</summary>
    public bool Has(string name) => _fileOf.ContainsKey(FileName(name));

    /// <summary>The name of the file that holds a tensor.</summary>
    public string FileOf(string name) => _fileOf[FileName(name)].FileName;

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());
}
