using System.Security.Cryptography;
using System.Text;

namespace LoraFhe.Cryptography.Tests;

public sealed class BindingTests
{
    [Fact]
    public void A_binding_is_the_hash_its_definition_says()
    {
        var layer = QuantizedLayer.Create("modèle", "h.0", 9, 2, 3, [1, -2, 3, 4, 5, -6], [0.5f, 2f]);
        var seed = TestLayers.Seed();
        static byte[] Text(string text) => [.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];
        byte[] definition =
        [
            .. "LoraFhe/1/linear"u8, .. EncryptedLinearParameters.Id, .. SHA256.HashData(seed.Bytes), .. Text("modèle"), .. Text("h.0"),
            1, 2, 0, 0, 0, 3, 0, 0, 0, 9, .. layer.CodesHash, .. layer.ScalesHash, 45, 0, 0, 0, 0, 0, 0, 0,
        ];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(definition)), Binding.Compute(layer, LayerDirection.Backward, seed).ToString());
    }

    [Fact]
    public void A_binding_never_changes() =>
        Assert.Equal(
            "072418cfef9e206af4fd5cc1817f84ecd3e32c3a13f9069f4ba17b1cc319e0a3",
            Binding.Compute(TestLayers.Make(3, 5), LayerDirection.Forward, TestLayers.Seed()).ToString());

    [Fact]
    public void Whatever_a_product_depends_on_changes_its_binding()
    {
        static QuantizedLayer Layer(string model = "m", string name = "l", int bits = 8, int outs = 2, int ins = 2, short code = 4, float scale = 1) =>
            QuantizedLayer.Create(model, name, bits, outs, ins, [1, 2, 3, code], [.. Enumerable.Repeat(scale, outs)]);

        var seed = TestLayers.Seed();
        Binding[] bindings =
        [
            Binding.Compute(Layer(), LayerDirection.Forward, seed),
            Binding.Compute(Layer(), LayerDirection.Backward, seed),
            Binding.Compute(Layer(), LayerDirection.Forward, TestLayers.Seed(8)),
            Binding.Compute(Layer(model: "n"), LayerDirection.Forward, seed),
            Binding.Compute(Layer(name: "k"), LayerDirection.Forward, seed),
            Binding.Compute(Layer(model: "ml", name: ""), LayerDirection.Forward, seed),
            Binding.Compute(Layer(bits: 9), LayerDirection.Forward, seed),
            Binding.Compute(Layer(outs: 1, ins: 4), LayerDirection.Forward, seed),
            Binding.Compute(Layer(code: 5), LayerDirection.Forward, seed),
            Binding.Compute(Layer(code: -4), LayerDirection.Forward, seed),
            Binding.Compute(Layer(scale: 1.0000001f), LayerDirection.Forward, seed),
        ];
        Assert.Equal(bindings.Length, bindings.Distinct().Count());
    }

    [Fact]
    public void Bytes_go_in_and_out_unchanged()
    {
        var bytes = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var binding = Binding.FromBytes(bytes);
        var copy = new byte[32];
        binding.CopyTo(copy);
        Assert.Equal(bytes, copy);
        Assert.Equal("000102", binding.Prefix);
        Assert.Equal(Convert.ToHexStringLower(bytes), binding.ToString());
        Assert.True(binding == Binding.FromBytes(copy));
        Assert.True(binding != default);
        Assert.Equal(binding.GetHashCode(), Binding.FromBytes(copy).GetHashCode());
        Assert.False(binding.Equals((object?)"binding"));
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>("bytes", () => Binding.FromBytes(new byte[31]));
        Assert.Throws<ArgumentException>("destination", () => default(Binding).CopyTo(new byte[31]));
    }
}
