// Replays what `samples/02_FineTuneText --record DIR` wrote, with schoolbook arithmetic of its own: no line of the library is used here.
// From the bytes that crossed and the spent secrets it takes off the encryption, multiplies by the public weights itself, and compares.
// The formulas are those of docs/scheme.md; speed is no aim, being readable is.
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var folder] || !File.Exists(Path.Combine(folder, "calls.jsonl")))
{
    Console.Error.WriteLine($"'{string.Join(' ', args)}' is not a recording. Expected one folder that --record wrote.");
    return 2;
}

try
{
    return new Replay(folder).Run(Console.Out) ? 0 : 1;
}
catch (Exception e) when (e is InvalidDataException or IOException or JsonException or KeyNotFoundException or FormatException)
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

    public static long Invert(long a) => Power(a, Q - 2);

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
    private readonly int _degree;
    private readonly int[] _exponents;
    private readonly long[] _powers;
    private readonly long _inverseDegree;

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

        _inverseDegree = Field.Invert(degree);
    }

    public long[] Values(ReadOnlySpan<sbyte> polynomial)
    {
        var values = new long[_degree];
        for (var i = 0; i < _degree; i++)
        {
            long sum = 0;
            for (var t = 0; t < _degree; t++)
            {
                sum += polynomial[t] * _powers[(int)((long)_exponents[i] * t % (2 * _degree))];
            }

            values[i] = Field.Mod(sum);
        }

        return values;
    }

    /// <summary>The first <paramref name="count"/> coefficients of the polynomial with these values.</summary>
    public long[] Coefficients(long[] values, int count)
    {
        var coefficients = new long[count];
        for (var t = 0; t < count; t++)
        {
            long sum = 0;
            for (var i = 0; i < _degree; i++)
            {
                var exponent = (int)((long)_exponents[i] * t % (2 * _degree));
                sum += values[i] * _powers[exponent == 0 ? 0 : (2 * _degree) - exponent] % Field.Q;
            }

            coefficients[t] = Field.Mod(sum) * _inverseDegree % Field.Q;
        }

        return coefficients;
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
        if (!bytes.AsSpan().StartsWith(Encoding.ASCII.GetBytes(magic)))
        {
            throw new InvalidDataException($"{Path.GetFileName(file)} does not begin with {magic}");
        }

        Tokens = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        Features = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        Id = Convert.ToHexStringLower(bytes.AsSpan(16, 16));
        Binding = Convert.ToHexStringLower(bytes.AsSpan(32, 32));
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
        _publicRows = new PublicRows(Convert.FromHexString(File.ReadAllText(Path.Combine(folder, "seed.hex")).Trim()));
        _weights = new PublicWeights(File.ReadAllText(Path.Combine(folder, "model.txt")).Trim());
    }

    public bool Run(TextWriter output)
    {
        var (right, all) = (0, 0);
        long words = 0;
        foreach (var line in File.ReadLines(Path.Combine(_folder, "calls.jsonl")))
        {
            using var call = JsonDocument.Parse(line);
            var (correct, outputs) = Check(call.RootElement);
            all++;
            right += correct ? 1 : 0;
            words += outputs;
            if (!correct)
            {
                output.WriteLine($"call {all}, '{call.RootElement.GetProperty("layer").GetString()}': differs");
            }
        }

        output.WriteLine($"{words} output words decrypted from the bytes that crossed and compared with the public weights' own product, call by call:");
        output.WriteLine($"{right} of {all}");
        return all > 0 && right == all;
    }

    private (bool Correct, long Words) Check(JsonElement call)
    {
        var request = new Message(Path.Combine(_folder, call.GetProperty("request").GetString()!), "LFQ1");
        var response = new Message(Path.Combine(_folder, call.GetProperty("response").GetString()!), "LFR1");
        var binding = call.GetProperty("binding").GetString();
        var (weights, hint) = Layer(call.GetProperty("layer").GetString()!, call.GetProperty("direction").GetString()!, call.GetProperty("bits").GetInt32());
        var correct = request.Binding == binding && response.Binding == binding && request.Id == response.Id
            && request.Features == weights[0].Length && response.Features == weights.Length && request.Tokens == response.Tokens;
        foreach (var group in call.GetProperty("groups").EnumerateArray().Select(ReadGroup))
        {
            var inputs = Decrypt(request, PublicRow, group);
            var outputs = Decrypt(response, o => hint[o], group);
            correct &= Enumerable.Range(0, weights.Length).AsParallel().All(o =>
                Enumerable.Range(0, group.Tokens).All(t => outputs[o][t] == Product(weights[o], inputs, t)));
        }

        return (correct, (long)response.Features * response.Tokens);
    }

    private static long Product(int[] row, long[][] inputs, int token)
    {
        long sum = 0;
        for (var j = 0; j < row.Length; j++)
        {
            sum += row[j] * inputs[j][token];
        }

        return sum;
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

            var mask = ring.Coefficients(values, group.Tokens);
            return mask.Select((m, t) => Field.Center(message.Words[j, group.First + t] - m)).ToArray();
        }).ToArray();
    }

    private Group ReadGroup(JsonElement group)
    {
        var degree = group.GetProperty("degree").GetInt32();
        var secret = Array.ConvertAll(group.GetProperty("secret").GetBytesFromBase64(), b => (sbyte)b);
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
