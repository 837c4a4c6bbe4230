namespace LoraFhe.Cryptography.Client.Tests;

/// <summary>Both halves of one product, with what a test may look into: the spent secrets and, through them, the errors.</summary>
internal sealed class Session : IDisposable
{
    private readonly PublicMatrix _matrix;
    private readonly Hint _hint;

    // Its own, so that a test may read what was given back.
    private readonly SecretMemoryPool _secrets = new(kept: 4);

    public Session(
        QuantizedLayer layer,
        LayerDirection direction,
        ulong? insecureSeed = 1,
        ClientKernel? kernel = null,
        double? fixedNorm = null,
        int maxThreads = 1,
        SecretSource? source = null,
        MaskClock? maskClock = null)
    {
        Layer = layer;
        Direction = direction;
        Seed = PublicMatrixSeed.FromBytes([.. Enumerable.Range(0, 32).Select(static i => (byte)i)]);
        _matrix = PublicMatrix.Expand(Seed, layer.Inputs(direction));
        _hint = Hint.Make(layer, direction, _matrix);
        Client = EncryptedLinearClient.Create(
            layer,
            direction,
            _matrix,
            _hint,
            source ?? (insecureSeed is { } seed ? new InsecureTestRandomness(seed) : KernelSecretSource.Instance),
            kernel ?? ClientKernels.Best,
            fixedNorm,
            maxThreads,
            _secrets,
            maskClock);
        Client.Recorder = new InsecureTranscriptRecorder(call =>
        {
            Secrets = [.. call.Groups.Select(static g => g.Coefficients.ToArray())];
            Recorded = call;
        });
        Evaluator = new LinearEvaluator(layer, direction, Client.Binding, maxThreads: 1);
    }

    public QuantizedLayer Layer { get; }

    public LayerDirection Direction { get; }

    public PublicMatrixSeed Seed { get; }

    public EncryptedLinearClient Client { get; }

    public LinearEvaluator Evaluator { get; }

    public sbyte[][] Secrets { get; private set; } = [];

    public InsecureTranscriptCall? Recorded { get; private set; }

    public byte[] Answer(EncryptedCall call)
    {
        var response = new byte[LinearEvaluator.ResponseLength(Client.Outputs, call.Ciphertext.Tokens)];
        Evaluator.Evaluate(call.Ciphertext.Bytes, response);
        return response;
    }

    public float[] Run(ReadOnlySpan<float> rows, int tokens) => Read(Client.Encrypt(rows, tokens));

    /// <summary>The same with a mask made ahead.</summary>
    public float[] RunAhead(ReadOnlySpan<float> rows, int tokens)
    {
        using var mask = Client.MakeMask(tokens);
        return Read(Client.Encrypt(rows, mask));
    }

    public float[] Read(EncryptedCall encrypted)
    {
        using var call = encrypted;
        var tokens = call.Ciphertext.Tokens;
        var destination = new float[tokens * Client.Outputs];
        call.Decryption.Decrypt(Answer(call), destination);
        return destination;
    }

    /// <summary>x̂ + e of the last call, from its recorded request and secrets, by the definition: b_j − ⟨a_j, s⟩ with schoolbook products in coefficients.</summary>
    public int[] OpenRequest()
    {
        var call = Recorded!;
        var (features, tokens) = (Client.Inputs, call.InverseScales.Length);
        var words = MessageHeader.Words(call.Request, MessageKind.Request);
        var plaintext = new int[tokens * features];
        for (var g = 0; g < call.Groups.Length; g++)
        {
            var group = call.Groups[g].Tokens;
            for (var j = 0; j < features; j++)
            {
                var mask = Mask(j, group.Degree, Secrets[g]);
                for (var t = 0; t < group.Tokens; t++)
                {
                    var word = words[(int)FeatureBlocks.WireIndex(j, group.First + t, features, tokens)];
                    plaintext[((group.First + t) * features) + j] = Modular.Center(Modular.Subtract(Modular.FromCentered(word), mask[t]));
                }
            }
        }

        return plaintext;
    }

    public void Dispose()
    {
        Client.Dispose();
        Evaluator.Dispose();
        _hint.Dispose();
        _secrets.Dispose();
        _matrix.Dispose();
    }

    private uint[] Mask(int feature, int degree, sbyte[] secret)
    {
        var block = _matrix.Block(feature / FeatureBlocks.Width);
        var transform = NegacyclicTransform.OfDegree(degree);
        var sum = new uint[degree];
        for (var i = 0; i < EncryptedLinearParameters.SecretDimension; i += degree)
        {
            var values = new uint[degree];
            for (var c = 0; c < degree; c++)
            {
                values[c] = block[((i + c) * FeatureBlocks.Width) + (feature % FeatureBlocks.Width)];
            }

            transform.InverseReference(values);
            for (var c = 0; c < degree; c++)
            {
                for (var d = 0; d < degree; d++)
                {
                    // X^r = −1.
                    var product = Modular.Multiply(values[c], Modular.FromCentered(secret[i + d]));
                    var place = (c + d) % degree;
                    sum[place] = c + d < degree ? Modular.Add(sum[place], product) : Modular.Subtract(sum[place], product);
                }
            }
        }

        return sum;
    }
}
