using System.Text.Json;

namespace LoraFhe.Tools.Replay;

internal sealed class Replay
{
    private readonly string _folder;
    private readonly PublicRows _publicRows;
    private readonly PublicWeights _weights;
    private readonly Dictionary<int, long[]> _rows = [];
    private readonly Dictionary<int, Ring> _rings = [];
    private readonly Dictionary<(string, string), (int[][] Weights, long[][] Hint)> _layers = [];

    public Replay(string folder)
    {
        _folder = folder;
        var seed = File.ReadAllText(Path.Combine(folder, "seed.hex")).Trim();
        _publicRows = new PublicRows(seed.Length == 64 && seed.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(seed)
            : throw new InvalidDataException("seed.hex is not 64 hexadecimal digits"));
        _weights = new PublicWeights(File.ReadAllText(Path.Combine(folder, "model.txt")).Trim());
    }

    public bool Run(TextWriter output)
    {
        var results = new List<Result>();
        foreach (var line in File.ReadLines(Path.Combine(_folder, "calls.jsonl")))
        {
            var result = Check(line, results.Count + 1);
            results.Add(result);
            if (result.Fault is { } fault)
            {
                output.WriteLine($"call {results.Count}, '{result.Layer}' {result.Direction}: {fault}");
            }
        }

        if (results.Count == 0)
        {
            throw new InvalidDataException("calls.jsonl holds no call");
        }

        var right = results.Count(r => r.Fault is null);
        var layers = results.Select(r => r.Layer).Distinct().Count();
        output.WriteLine($"{results.Count} calls to the server half, of {layers} layers. In each the spent secret takes the mask off request");
        output.WriteLine("and response; the response must be, word for word, the request's content times the layer's public weights:");
        foreach (var direction in results.GroupBy(r => r.Direction))
        {
            var equal = direction.Count(r => r.Fault is null);
            output.WriteLine($"  {direction.Key,-9} {equal} of {direction.Count()} right, {direction.Sum(r => r.Outputs):N0} words compared");
        }

        var requests = new Uniformity();
        results.ForEach(r => requests.Add(r.Words));
        var largest = 100.0 * results.Max(r => r.Largest) / (Field.Q / 2);
        output.WriteLine($"Without the secrets the {requests.Count:N0} words of the requests are spread over {Uniformity.Bins} equal bins with");
        output.WriteLine($"chi-square {requests.ChiSquare:F0}; noise gives {Uniformity.Mean} ± {Uniformity.Deviation:F0}. With them none is above {largest:F2} % of what a word can hold.");
        output.WriteLine($"{right} of {results.Count}");
        return right == results.Count;
    }

    private Result Check(string line, int number)
    {
        try
        {
            using var call = JsonDocument.Parse(line);
            return Check(call.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"calls.jsonl, line {number}: damaged ({e.Message})", e);
        }
    }

    private Result Check(JsonElement call)
    {
        var (layer, direction) = (call.GetProperty("layer").GetString()!, call.GetProperty("direction").GetString()!);
        var request = new Message(Path.Combine(_folder, call.GetProperty("request").GetString()!), "LFQ1");
        var response = new Message(Path.Combine(_folder, call.GetProperty("response").GetString()!), "LFR1");
        var binding = call.GetProperty("binding").GetString();
        var (weights, hint) = Layer(layer, direction, call.GetProperty("bits").GetInt32());
        var words = new Uniformity();
        words.Add(request);
        var result = new Result(layer, direction, words, (long)response.Features * response.Tokens);
        if (request.Features != weights[0].Length || response.Features != weights.Length || request.Tokens != response.Tokens)
        {
            return result with { Fault = "the messages are not of the layer's size" };
        }

        if (request.Binding != binding || response.Binding != binding || request.Id != response.Id)
        {
            return result with { Fault = "request and response do not belong together" };
        }

        long wrong = 0;
        long largest = 0;
        var next = 0;
        foreach (var group in call.GetProperty("groups").EnumerateArray().Select(ReadGroup))
        {
            if (group.First != next || group.Tokens < 1 || group.Tokens > Math.Min(group.Degree, request.Tokens - next))
            {
                return result with { Fault = "its groups of tokens are damaged" };
            }

            next += group.Tokens;
            var inputs = Decrypt(request, PublicRow, group);
            var outputs = Decrypt(response, o => hint[o], group);
            wrong += Enumerable.Range(0, weights.Length).AsParallel().Sum(o =>
                outputs[o].Zip(Product(weights[o], inputs)).LongCount(pair => pair.First != pair.Second));
            largest = Math.Max(largest, inputs.Max(row => row.Max(Math.Abs)));
        }

        return result with
        {
            Largest = largest,
            Fault = wrong > 0 ? $"{wrong:N0} of {result.Outputs:N0} words differ"
                : next != request.Tokens ? $"secrets of {next} tokens for {request.Tokens}"
                : words.IsSuspicious ? $"its words are not uniform, chi-square {words.ChiSquare:F0}"
                : null,
        };
    }

    /// <summary>One output of each token: Σ weight · input, not reduced. Equality therefore also says that no product ever wrapped around q.</summary>
    private static long[] Product(int[] row, long[][] inputs)
    {
        var sums = new long[inputs[0].Length];
        for (var j = 0; j < row.Length; j++)
        {
            for (var t = 0; t < sums.Length; t++)
            {
                sums[t] += row[j] * inputs[j][t];
            }
        }

        return sums;
    }

    /// <summary>Takes off the mask ⟨row, s⟩: [feature][token], centred.</summary>
    private long[][] Decrypt(Message message, Func<int, long[]> rowOf, Group group)
    {
        var ring = RingOf(group.Degree);
        for (var j = 0; j < message.Features; j++)
        {
            rowOf(j);
        }

        return Enumerable.Range(0, message.Features).AsParallel().AsOrdered().Select(j =>
        {
            var row = rowOf(j);
            var values = new long[group.Degree];
            for (var i = 0; i < group.SecretValues.Length; i++)
            {
                for (var p = 0; p < group.Degree; p++)
                {
                    values[p] = (values[p] + (row[(i * group.Degree) + p] * group.SecretValues[i][p] % Field.Q)) % Field.Q;
                }
            }

            var mask = ring.Coefficients(values);
            return Enumerable.Range(0, group.Tokens).Select(t => Field.Center(message.Words[j, group.First + t] - mask[t])).ToArray();
        }).ToArray();
    }

    private Group ReadGroup(JsonElement group)
    {
        var degree = group.GetProperty("degree").GetInt32();
        var secret = Array.ConvertAll(group.GetProperty("secret").GetBytesFromBase64(), b => (sbyte)b);
        if (degree is not (64 or 128 or 256 or 512) || secret.Length != PublicRows.Dimension)
        {
            throw new InvalidDataException($"a secret of {secret.Length} numbers and degree {degree}; {PublicRows.Dimension} and 64 to 512 are expected");
        }

        var ring = RingOf(degree);
        var values = Enumerable.Range(0, PublicRows.Dimension / degree).Select(i => ring.Values(secret.AsSpan(i * degree, degree))).ToArray();
        return new Group(group.GetProperty("first").GetInt32(), group.GetProperty("tokens").GetInt32(), degree, values);
    }

    private Ring RingOf(int degree)
    {
        if (!_rings.TryGetValue(degree, out var ring))
        {
            _rings[degree] = ring = new Ring(degree);
        }

        return ring;
    }

    private long[] PublicRow(int index)
    {
        if (!_rows.TryGetValue(index, out var row))
        {
            _rows[index] = row = _publicRows.Row(index);
        }

        return row;
    }

    /// <summary>A layer's integers as its direction multiplies them, and their product with A.</summary>
    private (int[][] Weights, long[][] Hint) Layer(string name, string direction, int bits)
    {
        if (_layers.TryGetValue((name, direction), out var known))
        {
            return known;
        }

        int[][] forward = [.. LayersOf(name).SelectMany(layer => _weights.Quantize(TensorOf(layer), bits))];
        var weights = direction == "Forward" ? forward : Transpose(forward);
        var rows = Enumerable.Range(0, weights[0].Length).Select(PublicRow).ToArray();
        var hint = weights.AsParallel().AsOrdered().Select(w =>
        {
            var sum = new long[PublicRows.Dimension];
            for (var j = 0; j < w.Length; j++)
            {
                for (var i = 0; i < sum.Length; i++)
                {
                    // At most 2^11 · 2^31 a term: 2^20 terms fit.
                    sum[i] += w[j] * rows[j][i];
                }
            }

            return Array.ConvertAll(sum, Field.Mod);
        }).ToArray();
        return _layers[(name, direction)] = (weights, hint);
    }

    // Layers that share an input are one, their rows one after the other: 'self_attn.q_proj+k_proj' is 'self_attn.q_proj' and 'self_attn.k_proj'.
    private static IEnumerable<string> LayersOf(string name)
    {
        var own = name.LastIndexOf('.') + 1;
        return name[own..].Split('+').Select(layer => name[..own] + layer);
    }

    // 'base_model.model.model.layers.0.mlp.up_proj.base_layer' adapts the tensor 'model.layers.0.mlp.up_proj.weight'.
    private static string TensorOf(string layer)
    {
        const string Prefix = "base_model.model.";
        var start = layer.IndexOf(Prefix, StringComparison.Ordinal);
        var name = start < 0 ? layer : layer[(start + Prefix.Length)..];
        return name.Replace(".base_layer", "", StringComparison.Ordinal) + ".weight";
    }

    private static int[][] Transpose(int[][] matrix) =>
        [.. Enumerable.Range(0, matrix[0].Length).Select(j => matrix.Select(row => row[j]).ToArray())];
}
