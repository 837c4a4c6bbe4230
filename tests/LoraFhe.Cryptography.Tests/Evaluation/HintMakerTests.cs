using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Tests;

public sealed class HintMakerTests
{
    private const int Columns = EncryptedLinearParameters.SecretDimension;

    public static TheoryData<string> Names => Kernels.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hint_is_the_product_of_the_weights_and_the_public_matrix(string kernel)
    {
        // The matrix is wider than the layer, and neither side of the layer is a multiple of 16.
        var layer = TestLayers.Make(21, 35, 12);
        using var a = Expand(50);
        foreach (var direction in Enum.GetValues<LayerDirection>())
        {
            var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
            var hint = new uint[HintMaker.HintWords(outputs)];
            hint.AsSpan().Fill(uint.MaxValue);
            HintMaker.MakeCore(Kernels.Named(kernel), layer, direction, a, hint, 2, TestContext.Current.CancellationToken);
            var column = new int[inputs];
            for (var c = 0; c < Columns; c += 17)
            {
                for (var i = 0; i < inputs; i++)
                {
                    column[i] = Modular.Center(a.Block(i / 16)[(c * 16) + (i % 16)]);
                }

                for (var o = 0; o < FeatureBlocks.Count(outputs) * 16; o++)
                {
                    var expected = o < outputs ? Modular.FromCentered(LinearProduct.Reference(layer, direction, o, column)) : 0;
                    Assert.Equal(expected, hint[FeatureBlocks.PaddedIndex(o, c, Columns)]);
                }
            }
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void One_hint_serves_every_ring_degree(int degree)
    {
        // W·⟨a_j, s⟩ = ⟨H_o, s⟩ in the ring: the masks of all inputs, multiplied by the weights, are the mask of the output.
        var layer = TestLayers.Make(3, 20);
        using var a = Expand(20);
        var hint = Make(layer, LayerDirection.Forward, a);
        var transform = NegacyclicTransform.OfDegree(degree);
        var secret = new uint[Columns];
        for (var i = 0; i < Columns; i++)
        {
            secret[i] = Modular.FromCentered((i * 7 % 5) - 2);
        }

        for (var start = 0; start < Columns; start += degree)
        {
            transform.ForwardReference(secret.AsSpan(start, degree));
        }

        var masks = Enumerable.Range(0, 20).Select(j => Mask(transform, secret, c => a.Block(j / 16)[(c * 16) + (j % 16)])).ToArray();
        for (var o = 0; o < 3; o++)
        {
            var expected = Mask(transform, secret, c => hint[FeatureBlocks.PaddedIndex(o, c, Columns)]);
            for (var t = 0; t < degree; t++)
            {
                var token = masks.Select(mask => Modular.Center(mask[t])).ToArray();
                Assert.Equal(expected[t], Modular.FromCentered(LinearProduct.Reference(layer, LayerDirection.Forward, o, token)));
            }
        }
    }

    [Fact]
    public void A_hint_never_changes()
    {
        // Recorded from Python's integers and OpenSSL's AES, not from this library.
        using var a = Expand(30);
        var hint = Make(TestLayers.Make(17, 30), LayerDirection.Forward, a);
        Assert.Equal("75560DBCB3F1B82D9D21789ACD9A2EC47ABAA3F57EF299869511B9859A9CEB7E", Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<uint>(hint))));
    }

    [Fact]
    public void Misuse_is_refused()
    {
        var layer = TestLayers.Make(4, 20);
        using var a = Expand(20);
        using var narrow = Expand(19);
        var token = TestContext.Current.CancellationToken;
        var error = Assert.Throws<ArgumentException>("a", () => HintMaker.Make(layer, LayerDirection.Forward, narrow, new uint[16 * Columns], 0, token));
        Assert.Contains("Layer 'layer', forward: the public matrix has 19 rows; the layer needs 20.", error.Message);
        Assert.Throws<ArgumentException>("hint", () => HintMaker.Make(layer, LayerDirection.Forward, a, new uint[(16 * Columns) - 1], 0, token));
        Assert.Throws<ArgumentOutOfRangeException>("maxThreads", () => HintMaker.Make(layer, LayerDirection.Forward, a, new uint[16 * Columns], -1, token));
        Assert.Throws<OperationCanceledException>(
            () => HintMaker.Make(layer, LayerDirection.Forward, a, new uint[16 * Columns], 1, new CancellationToken(canceled: true)));
        a.Dispose();
        Assert.Throws<ObjectDisposedException>(() => HintMaker.Make(layer, LayerDirection.Forward, a, new uint[16 * Columns], 1, token));
    }

    private static PublicMatrix Expand(int rows) => PublicMatrix.Expand(TestLayers.Seed(), rows, TestContext.Current.CancellationToken);

    private static uint[] Make(QuantizedLayer layer, LayerDirection direction, PublicMatrix a)
    {
        var hint = new uint[HintMaker.HintWords(layer.Outputs(direction))];
        HintMaker.Make(layer, direction, a, hint, 0, TestContext.Current.CancellationToken);
        return hint;
    }

    // Σ over ring elements of row·s, coefficients.
    private static uint[] Mask(NegacyclicTransform transform, uint[] secretValues, Func<int, uint> row)
    {
        var mask = new uint[transform.Degree];
        for (var c = 0; c < Columns; c++)
        {
            ref var value = ref mask[c % transform.Degree];
            value = Modular.Add(value, Modular.Multiply(row(c), secretValues[c]));
        }

        transform.InverseReference(mask);
        return mask;
    }
}
