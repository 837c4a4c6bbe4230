using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Tests;

public sealed class PublicMatrixTests
{
    private const int Columns = EncryptedLinearParameters.SecretDimension;

    [Fact]
    public void The_expansion_of_a_seed_never_changes()
    {
        // Recorded from Python's hashlib and OpenSSL's AES, not from this library.
        using var matrix = Expand(TestLayers.Seed(), 17);
        Assert.Equal("D41669B6F4BD1CD44DB3507826BFEDFC767E6DEF823E80D3CA47C980F4CA446D", Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(matrix.Block(0)))));
        Assert.Equal("BB474EC4BD0CB2E06E581CAAC96357A239FF2B795B3EE4B377ADC8739017CB60", Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(matrix.Block(1)))));
    }

    [Fact]
    public void Words_follow_the_definition_read_literally()
    {
        // Independent of the library's sampler: AES over hand-made counter blocks, one word at a time.
        var seed = TestLayers.Seed(42);
        using var aes = Aes.Create();
        aes.Key = SHA256.HashData([.. "LoraFhe/1/public-matrix"u8, .. EncryptedLinearParameters.Id, .. seed.Bytes]);
        using var matrix = Expand(seed, 35);
        foreach (var row in new[] { 0, 15, 16, 34 })
        {
            var expected = new List<uint>();
            for (ulong block = 0; expected.Count < Columns; block++)
            {
                var bytes = aes.EncryptEcb([.. BitConverter.GetBytes(block), .. BitConverter.GetBytes((ulong)row)], PaddingMode.None);
                expected.AddRange(Enumerable.Range(0, 4).Select(i => BitConverter.ToUInt32(bytes, 4 * i) & 0x7fffffff).Where(w => w < EncryptedLinearParameters.Modulus));
            }

            for (var column = 0; column < Columns; column++)
            {
                Assert.Equal(expected[column], matrix.Block(row / 16)[(column * 16) + (row % 16)]);
            }
        }
    }

    [Fact]
    public void A_word_of_q_or_more_is_rejected_and_the_next_takes_its_place()
    {
        uint[] stream = [5, EncryptedLinearParameters.Modulus, 0x7fffffff, 0x80000006, EncryptedLinearParameters.Modulus - 1, 0xffffffff, 8, 9];
        var words = new uint[4];
        Assert.Equal(4, PublicMatrix.Accept(MemoryMarshal.AsBytes<uint>(stream), words));
        Assert.Equal([5u, 6u, EncryptedLinearParameters.Modulus - 1, 8u], words);
    }

    [Fact]
    public void A_row_whose_first_bytes_do_not_suffice_goes_on_in_the_same_stream()
    {
        using var stream = new AesCounterStream(PublicMatrix.ExpansionKey(TestLayers.Seed()));
        var (piecewise, whole) = (new uint[100], new uint[100]);
        PublicMatrix.ExpandRow(stream, 3, piecewise, new byte[16]);
        PublicMatrix.ExpandRow(stream, 3, whole, new byte[512]);
        Assert.Equal(whole, piecewise);
    }

    [Fact]
    public void A_wider_matrix_begins_with_the_narrower_ones_rows_and_lanes_past_the_last_row_are_zero()
    {
        using var narrow = Expand(TestLayers.Seed(), 3);
        using var wide = Expand(TestLayers.Seed(), 40);
        for (var column = 0; column < Columns; column++)
        {
            for (var lane = 0; lane < 16; lane++)
            {
                var expected = lane < 3 ? wide.Block(0)[(column * 16) + lane] : 0;
                Assert.Equal(expected, narrow.Block(0)[(column * 16) + lane]);
            }
        }
    }

    [Fact]
    public void Words_are_below_q_and_spread_evenly()
    {
        // 64 rows, 98304 words: the mean's deviation is q/√12/√98304 = q/1086; eight of those is a false alarm once in 10^15 seeds, and
        // the seed is fixed.
        using var matrix = Expand(TestLayers.Seed(), 64);
        var sum = 0.0;
        for (var block = 0; block < 4; block++)
        {
            foreach (var word in matrix.Block(block))
            {
                Assert.True(word < EncryptedLinearParameters.Modulus);
                sum += word;
            }
        }

        Assert.InRange((sum / (64.0 * Columns) / EncryptedLinearParameters.Modulus) - 0.5, -8.0 / 1086, 8.0 / 1086);
    }

    [Fact]
    public void Another_seed_gives_another_matrix()
    {
        using var first = Expand(TestLayers.Seed(1), 1);
        using var second = Expand(TestLayers.Seed(2), 1);
        Assert.NotEqual(first.Block(0).ToArray(), second.Block(0).ToArray());
    }

    [Fact]
    public void Misuse_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => Expand(TestLayers.Seed(), 0));
        Assert.Throws<ArgumentNullException>("seed", () => Expand(null!, 1));
        Assert.Throws<OperationCanceledException>(() => PublicMatrix.Expand(TestLayers.Seed(), 1, new CancellationToken(canceled: true)));
        var matrix = Expand(TestLayers.Seed(), 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.Block(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.Block(-1).Length);
        matrix.Dispose();
        matrix.Dispose();
        Assert.Throws<ObjectDisposedException>(() => matrix.Block(0).Length);
    }

    private static PublicMatrix Expand(PublicMatrixSeed seed, int rows) => PublicMatrix.Expand(seed, rows, TestContext.Current.CancellationToken);
}
