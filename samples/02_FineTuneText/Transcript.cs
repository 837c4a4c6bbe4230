using System.Text.Json.Nodes;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>Writes what crossed in the first calls of a training, with the spent secrets, in the form that tools/replay reads.</summary>
/// <remarks>Whoever has the folder can decrypt what it recorded: it is for showing that the encryption is real, on data that is no secret.</remarks>
internal sealed class Transcript : IDisposable
{
    private const long LargestRecording = 256L << 20;
    private readonly string _folder;
    private readonly string _model;
    private readonly Lazy<StreamWriter> _calls;
    private long _bytes;

    public Transcript(string folder, string model)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new IOException($"--record '{folder}' is not empty. Expected a new folder.");
        }

        (_folder, _model) = (folder, model);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--record '{folder}' cannot be made ({e.Message}). Expected a new folder.", e);
        }

        _calls = new Lazy<StreamWriter>(() => new StreamWriter(Path.Combine(folder, "calls.jsonl")));
    }

    /// <summary>Calls are recorded only while this is set.</summary>
    public bool IsOn { get; set; }

    public int Calls { get; private set; }

    /// <summary>Writes what all calls share. Not earlier: a run that was refused leaves the folder empty, for the next.</summary>
    public void Begin(ReadOnlySpan<byte> seed)
    {
        File.WriteAllText(
            Path.Combine(_folder, "WARNING.txt"),
            "This folder holds the spent secrets of the recorded calls. Whoever has it can read what was encrypted in them. Delete it when it has been replayed.\n");
        File.WriteAllText(Path.Combine(_folder, "model.txt"), _model);
        File.WriteAllText(Path.Combine(_folder, "seed.hex"), Convert.ToHexStringLower(seed));
    }

    public void Record(InsecureTranscriptCall call)
    {
        if (!IsOn || _bytes > LargestRecording)
        {
            return;
        }

        Calls++;
        _bytes += call.Request.Length + call.Response.Length;
        var (request, response) = ($"{Calls:D6}.request", $"{Calls:D6}.response");
        File.WriteAllBytes(Path.Combine(_folder, request), call.Request);
        File.WriteAllBytes(Path.Combine(_folder, response), call.Response);
        var groups = call.Groups.Select(JsonNode (g) => new JsonObject
        {
            ["first"] = g.Tokens.First,
            ["tokens"] = g.Tokens.Tokens,
            ["degree"] = g.Tokens.Degree,
            ["secret"] = Convert.ToBase64String(Array.ConvertAll(g.Coefficients, c => (byte)c)),
        });
        _calls.Value.WriteLine(new JsonObject
        {
            ["layer"] = call.Layer.Name,
            ["direction"] = call.Layer.Direction.ToString(),
            ["bits"] = Bits,
            ["binding"] = call.Binding.ToString(),
            ["request"] = request,
            ["response"] = response,
            ["groups"] = new JsonArray([.. groups]),
        }.ToJsonString());
    }

    /// <summary>Bits of a weight in this run.</summary>
    public required int Bits { get; init; }

    public void Dispose()
    {
        if (_calls.IsValueCreated)
        {
            _calls.Value.Dispose();
        }
    }
}
