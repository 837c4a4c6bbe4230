using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>
/// A checkpoint on disk: one safetensors file, so that it appears, and replaces another, at once or not at all. Tensors below <c>model.</c>
/// are the adapters; the rest is for resuming. The header carries a format name, a version, the position and a hash of everything.
/// </summary>
internal static class CheckpointFile
{
    private const string Format = "lorafhe-checkpoint";
    private const int Version = 1;
    private const string ModelPrefix = "model.";
    private const string StatsPrefix = "gradient_stats.";

    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Writes a checkpoint atomically.</summary>
    public static void Write(string path, Checkpoint checkpoint)
    {
        var tensors = new List<SafetensorsTensor>(checkpoint.Model.Select(tensor => tensor with { Name = ModelPrefix + tensor.Name }))
        {
            Raw("optimizer", checkpoint.Optimizer),
            Raw("random_state", checkpoint.RandomState),
            Raw("epoch_random_state", checkpoint.EpochRandomState),
            Doubles("training_losses", checkpoint.TrainingLosses),
        };
        tensors.AddRange(checkpoint.GradientStats.Select(entry => Doubles(StatsPrefix + entry.Key, entry.Value)));
        var state = JsonSerializer.Serialize(new State(
            checkpoint.Position, checkpoint.ScheduleSteps, checkpoint.SimulationSeed, checkpoint.SimulationPosition), Json);
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = Format,
            ["version"] = Version.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["state"] = state,
            ["sha256"] = Hash(state, tensors.Select(tensor => (tensor.Name, tensor.Data))),
        });
    }

    /// <summary>Reads a checkpoint and checks all of it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no checkpoint, damaged, or of a later version; the message names it.</exception>
    public static Checkpoint Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(Errors.CheckpointNotFound(path), path);
        }

        SafetensorsFile file;
        try
        {
            file = SafetensorsFile.Open(path);
        }
        catch (FileNotFoundException exception)
        {
            // A link to nothing.
            throw new FileNotFoundException(Errors.CheckpointNotFound(path), path, exception);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException(Errors.CheckpointDamaged(path), exception);
        }

        using (file)
        {
            CheckVersion(path, file.Metadata);
            var tensors = file.Entries.ToDictionary(
                entry => entry.Name, entry => new SafetensorsTensor(entry.Name, entry.DType, [.. entry.Shape], file.Bytes(entry.Name).ToArray()));
            var stateText = file.Metadata.GetValueOrDefault("state", "");
            if (file.Metadata.GetValueOrDefault("sha256") != Hash(stateText, tensors.Values.Select(tensor => (tensor.Name, tensor.Data))))
            {
                throw new InvalidDataException(Errors.CheckpointDamaged(path));
            }

            return Assemble(path, stateText, tensors);
        }
    }

    private static void CheckVersion(string path, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.GetValueOrDefault("format") != Format || !int.TryParse(metadata.GetValueOrDefault("version"), out var version))
        {
            throw new InvalidDataException(Errors.CheckpointForeign(path));
        }

        if (version > Version)
        {
            throw new InvalidDataException(Errors.CheckpointNewer(path, version, Version));
        }
    }

    private static Checkpoint Assemble(string path, string stateText, Dictionary<string, SafetensorsTensor> tensors)
    {
        try
        {
            var state = JsonSerializer.Deserialize<State>(stateText, Json);
            return state is { Position: not null, ScheduleSteps: >= 0, SimulationPosition: >= 0 } && state.Position.IsPossible
                ? Assemble(state, tensors)
                : throw new InvalidDataException(Errors.CheckpointDamaged(path));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException)
        {
            // The hash fits, but not Write made the file.
            throw new InvalidDataException(Errors.CheckpointDamaged(path), exception);
        }
    }

    private static Checkpoint Assemble(State state, Dictionary<string, SafetensorsTensor> tensors) => new()
    {
        Position = state.Position,
        ScheduleSteps = state.ScheduleSteps,
        Model = [.. Below(tensors, ModelPrefix)],
        Optimizer = tensors["optimizer"].Data.ToArray(),
        RandomState = tensors["random_state"].Data.ToArray(),
        EpochRandomState = tensors["epoch_random_state"].Data.ToArray(),
        SimulationSeed = state.SimulationSeed,
        SimulationPosition = state.SimulationPosition,
        TrainingLosses = ToDoubles(tensors["training_losses"]),
        GradientStats = Below(tensors, StatsPrefix).ToDictionary(tensor => tensor.Name, ToDoubles),
    };

    private static IEnumerable<SafetensorsTensor> Below(Dictionary<string, SafetensorsTensor> tensors, string prefix) =>
        tensors.Values
            .Where(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(tensor => tensor with { Name = tensor.Name[prefix.Length..] });

    private static SafetensorsTensor Raw(string name, byte[] bytes) => new(name, SafetensorsDType.U8, [bytes.Length], bytes);

    private static SafetensorsTensor Doubles(string name, double[] values) =>
        new(name, SafetensorsDType.F64, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    private static double[] ToDoubles(SafetensorsTensor tensor) => MemoryMarshal.Cast<byte, double>(tensor.Data.Span).ToArray();

    private static string Hash(string state, IEnumerable<(string Name, ReadOnlyMemory<byte> Data)> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(Encoding.UTF8.GetBytes(state));
        foreach (var (name, data) in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            Append(Encoding.UTF8.GetBytes(name));
            Append(data.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        // The length first, so that nothing can move from one part to the next.
        void Append(ReadOnlySpan<byte> part)
        {
            hash.AppendData(BitConverter.GetBytes((long)part.Length));
            hash.AppendData(part);
        }
    }

    private sealed record State(TrainingPosition Position, int ScheduleSteps, long SimulationSeed, long SimulationPosition);
}
