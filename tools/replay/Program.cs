// Replays what `samples/02_FineTuneText --record DIR` wrote, with schoolbook arithmetic of its own: no line of the library is used here.
// From the bytes that crossed and the spent secrets it takes off the encryption, multiplies by the public weights itself, and compares.
// The formulas are those of docs/scheme.md; speed is no aim, being readable is. It also looks at the words that crossed by themselves: whoever has no
// secret must not be able to tell them from noise.
// Exit code 0: all calls are right. 1: one is not, or a file is missing or damaged. 2: the argument is no recording.
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var folder])
{
    Console.Error.WriteLine($"{args.Length} arguments were given. Expected one: a folder that samples/02_FineTuneText wrote with --record.");
    return 2;
}

if (!File.Exists(Path.Combine(folder, "calls.jsonl")))
{
    Console.Error.WriteLine($"'{folder}' is not a recording: it has no calls.jsonl. Expected a folder that samples/02_FineTuneText wrote with --record.");
    return 2;
}

try
{
    return new Replay(folder).Run(Console.Out) ? 0 : 1;
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
    or FormatException or InvalidOperationException)
{
    Console.Error.WriteLine($"{folder}: {e.Message}");
    return 1;
}

/// <summary>Numbers modulo q.</summary>
internal static class Field
{
    public const long Q = 2147389441;

    public static long Mod(long a) => ((a % Q) + Q) % Q;

    public static long Center(long a) => Mod(a) > (Q - 1) / 2 ? Mod(a) - Q : Mod(a);

    public static long Power(long a, long exponent) => (long)BigInteger.ModPow(a, exponent, Q);

    /// <summary>The smallest generator of the multiplicative group: its powers by (q-1)/p are not 1 for any prime p that divides q-1.</summary>
    public static long Generator()
    {
        var primes = new List<long>();
        var rest = Q - 1;
        for (long p = 2; p * p <= rest; p++)
        {
            while (rest % p == 0)
            {
                primes.Add(p);
                rest /= p;
            }
        }

        primes.Add(rest);
        for (long g = 2; ; g++)
        {
            if (primes.All(p => p == 1 || Power(g, (Q - 1) / p) != 1))
            {
                return g;
            }
        }
    }
}

/// <summary>Z_q[X]/(X^r + 1), polynomials by their values at the odd powers of ψ, in bit-reversed order.</summary>
internal sealed class Ring
{
    private const long Half = (Field.Q + 1) / 2;
    private readonly int _degree;
    private readonly int[] _exponents;
    private readonly long[] _powers;

    public Ring(int degree)
    {
        _degree = degree;
        var psi = Field.Power(Field.Generator(), (Field.Q - 1) / (2 * degree));
        _powers = new long[2 * degree];
        _powers[0] = 1;
        for (var i = 1; i < _powers.Length; i++)
        {
            _powers[i] = _powers[i - 1] * psi % Field.Q;
        }

        var bits = BitOperations.Log2((uint)degree);
        _exponents = new int[degree];
        for (var i = 0; i < degree; i++)
        {
            var reversed = 0;
            for (var b = 0; b < bits; b++)
            {
                reversed |= ((i >> b) & 1) << (bits - 1 - b);
            }

            _exponents[i] = (2 * reversed) + 1;
        }
    }

    public long[] Values(ReadOnlySpan<sbyte> polynomial)
    {
        var values = new long[_degree];
        for (var i = 0; i < _degree; i++)
        {
            long sum = 0;
            for (var t = 0; t < _degree; t++)
            {
                sum += polynomial[t] * _powers[(_exponents[i] * t) & ((2 * _degree) - 1)];
            }

            values[i] = Field.Mod(sum);
        }

        return values;
    }

    /// <summary>The coefficients of the polynomial with these values.</summary>
    /// <remarks>Neighbors in bit-reversed order are the values at x and −x. Half their sum is the polynomial's even part at x², half their difference
    /// its odd part at x², times x: two polynomials of half the degree, by their values in the same order.</remarks>
    public long[] Coefficients(long[] values) => Coefficients(values, step: 1);

    private long[] Coefficients(long[] values, int step)
    {
        if (values.Length == 1)
        {
            return values;
        }

        var half = values.Length / 2;
        var (even, odd) = (new long[half], new long[half]);
        for (var i = 0; i < half; i++)
        {
            // x is ψ to the power of this ring's exponent, a multiple of step; 1/x is the power with its sign changed.
            var inverse = _powers[-(_exponents[2 * i * step] * step) & ((2 * _degree) - 1)];
            even[i] = Field.Mod((values[2 * i] + values[(2 * i) + 1]) * Half);
            odd[i] = Field.Mod((values[2 * i] - values[(2 * i) + 1]) * Half) * inverse % Field.Q;
        }

        (even, odd) = (Coefficients(even, 2 * step), Coefficients(odd, 2 * step));
        return [.. even.Zip(odd).SelectMany(pair => new[] { pair.First, pair.Second })];
    }
}

/// <summary>The public matrix A, expanded from its seed; an AES-256 counter stream a row.</summary>
internal sealed class PublicRows(byte[] seed)
{
    public const int Dimension = 1536;
    private readonly byte[] _key = SHA256.HashData([.. "LoraFhe/1/public-matrix"u8, .. Parameters, .. seed]);

    /// <summary>q, N and the two binomial parameters, as 32-bit little-endian words.</summary>
    public static byte[] Parameters => [.. Word((uint)Field.Q), .. Word(Dimension), .. Word(2), .. Word(21)];

    public long[] Row(int index)
    {
        using var aes = Aes.Create();
        aes.Key = _key;
        var words = new List<long>(Dimension);
        Span<byte> counter = stackalloc byte[16];
        Span<byte> block = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(counter[8..], (ulong)index);
        for (ulong number = 0; words.Count < Dimension; number++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(counter, number);
            aes.EncryptEcb(counter, block, PaddingMode.None);
            for (var i = 0; i < 16 && words.Count < Dimension; i += 4)
            {
                var word = BinaryPrimitives.ReadUInt32LittleEndian(block[i..]) & 0x7fffffff;
                if (word < Field.Q)
                {
                    words.Add(word);
                }
            }
        }

        return [.. words];
    }

    private static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}

/// <summary>Public weights of a Hugging Face folder, quantised by the rule of docs/scheme.md.</summary>
internal sealed class PublicWeights(string folder)
{
    public int[][] Quantize(string tensor, int bits)
    {
        var (values, rows, columns) = Read(tensor);
        var most = (1 << (bits - 1)) - 1;
        var codes = new int[rows][];
        for (var o = 0; o < rows; o++)
        {
            var row = values.AsSpan(o * columns, columns).ToArray();
            var largest = row.Max(v => Math.Abs((double)v));
            var scale = largest == 0 ? 1f : (float)(largest / most);
            codes[o] = [.. row.Select(v => (int)Math.Round(v / (double)scale, MidpointRounding.ToEven))];
        }

        return codes;
    }

    private (float[] Values, int Rows, int Columns) Read(string tensor)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(file);
            var length = new byte[8];
            stream.ReadExactly(length);
            var header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
            stream.ReadExactly(header);
            using var json = JsonDocument.Parse(header);
            if (!json.RootElement.TryGetProperty(tensor, out var entry))
            {
                continue;
            }

            var shape = entry.GetProperty("shape").EnumerateArray().Select(s => s.GetInt32()).ToArray();
            var begin = entry.GetProperty("data_offsets")[0].GetInt64();
            var data = new byte[entry.GetProperty("data_offsets")[1].GetInt64() - begin];
            stream.Position = 8 + header.Length + begin;
            stream.ReadExactly(data);
            return (Singles(data, entry.GetProperty("dtype").GetString()!), shape[0], shape[1]);
        }

        throw new InvalidDataException($"no *.safetensors of '{folder}' holds '{tensor}'");
    }

    private static float[] Singles(byte[] data, string type)
    {
        var size = type == "F32" ? 4 : 2;
        var values = new float[data.Length / size];
        for (var i = 0; i < values.Length; i++)
        {
            var bytes = data.AsSpan(i * size);
            values[i] = type switch
            {
                "F32" => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
                "BF16" => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
                _ => throw new InvalidDataException($"weights of type {type} are not read here"),
            };
        }

        return values;
    }
}

/// <summary>One message that crossed: a header, then words, features in blocks of 16.</summary>
internal sealed class Message
{
    private const int HeaderBytes = 64;

    public Message(string file, string magic)
    {
        var bytes = File.ReadAllBytes(file);
        if (bytes.Length < HeaderBytes || !bytes.AsSpan().StartsWith(Encoding.ASCII.GetBytes(magic)))
        {
            throw new InvalidDataException($"{Path.GetFileName(file)} does not begin with a header {magic}");
        }

        Tokens = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        Features = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        Id = Convert.ToHexStringLower(bytes.AsSpan(16, 16));
        Binding = Convert.ToHexStringLower(bytes.AsSpan(32, 32));
        if (Tokens < 1 || Features < 1 || bytes.Length != HeaderBytes + (4L * Tokens * Features))
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(file)} has {bytes.Length} bytes; {Features} features of {Tokens} tokens take {HeaderBytes + (4L * Tokens * Features)}");
        }

        Words = new long[Features, Tokens];
        var at = HeaderBytes;
        for (var block = 0; block < Features; block += 16)
        {
            var lanes = Math.Min(16, Features - block);
            for (var t = 0; t < Tokens; t++)
            {
                for (var lane = 0; lane < lanes; lane++, at += 4)
                {
                    Words[block + lane, t] = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
                }
            }
        }
    }

    public string Id { get; }

    public string Binding { get; }

    public int Tokens { get; }

    public int Features { get; }

    /// <summary>[feature, token], within ±(q−1)/2.</summary>
    public long[,] Words { get; }
}

/// <summary>How evenly words lie over ±(q−1)/2, counted in equal bins.</summary>
internal sealed class Uniformity
{
    public const int Bins = 256;
    public const int Mean = Bins - 1;

    // Uniform words are this far off once in more than 10^15 calls; small numbers in the clear, always.
    private const int AlarmingDeviations = 10;
    private readonly long[] _counts = new long[Bins];

    public static double Deviation { get; } = Math.Sqrt(2 * Mean);

    public long Count => _counts.Sum();

    public double ChiSquare
    {
        get
        {
            var expected = (double)Count / Bins;
            return _counts.Sum(c => (c - expected) * (c - expected) / expected);
        }
    }

    public bool IsSuspicious => ChiSquare > Mean + (AlarmingDeviations * Deviation);

    public void Add(Message message)
    {
        foreach (var word in message.Words)
        {
            _counts[(int)(Field.Mod(word) * Bins / Field.Q)]++;
        }
    }

    public void Add(Uniformity other)
    {
        for (var i = 0; i < Bins; i++)
        {
            _counts[i] += other._counts[i];
        }
    }
}

/// <summary>What a call showed.</summary>
internal sealed record Result(string Layer, string Direction, Uniformity Words, long Outputs)
{
    /// <summary>The largest number that was encrypted, by size.</summary>
    public long Largest { get; init; }

    /// <summary>What is wrong, or null.</summary>
    public string? Fault { get; init; }
}

internal sealed record Group(int First, int Tokens, int Degree, long[][] SecretValues);

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

        var forward = _weights.Quantize(TensorOf(name), bits);
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
