using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace LoraFhe.Cryptography.Client;

/// <summary>AES-256 by the processor's own rounds: constant time, and no call or copy between a counter and its bytes.</summary>
/// <remarks>One instance may encrypt on several threads. Source: FIPS 197; Intel's white paper on the AES instructions (Gueron 2010), for the key expansion.</remarks>
internal sealed unsafe class InstructionAes : IDisposable
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 16;

    private const int Rounds = 14;

    // Zen 4 starts two rounds a cycle and has each ready after four: eight blocks keep it busy.
    private const int Together = 8;

    private readonly SecretMemory _schedule = new((Rounds + 1) * BlockSize);

    /// <summary>Expands a key.</summary>
    /// <param name="key">32 bytes.</param>
    public InstructionAes(ReadOnlySpan<byte> key)
    {
        var even = Vector128.Create(key[..BlockSize]);
        var odd = Vector128.Create(key[BlockSize..]);
        var keys = Keys;
        (keys[0], keys[1]) = (even, odd);
        Expand(keys + 2, ref even, ref odd, 0x01);
        Expand(keys + 4, ref even, ref odd, 0x02);
        Expand(keys + 6, ref even, ref odd, 0x04);
        Expand(keys + 8, ref even, ref odd, 0x08);
        Expand(keys + 10, ref even, ref odd, 0x10);
        Expand(keys + 12, ref even, ref odd, 0x20);
        keys[Rounds] = Mix(even, Sse2.Shuffle(X86Aes.KeygenAssist(odd, 0x40).AsUInt32(), 0xff).AsByte());
    }

    /// <summary>Whether this processor has the rounds.</summary>
    public static bool IsSupported => X86Aes.IsSupported;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private Vector128<byte>* Keys => (Vector128<byte>*)_schedule.Pointer;

    /// <summary>One block.</summary>
    public Vector128<byte> Encrypt(Vector128<byte> block)
    {
        var keys = Keys;
        block ^= keys[0];
        for (var round = 1; round < Rounds; round++)
        {
            block = X86Aes.Encrypt(block, keys[round]);
        }

        return X86Aes.EncryptLast(block, keys[Rounds]);
    }

    /// <summary>The blocks counter, counter + 1, …: the lower 64 bits count.</summary>
    /// <param name="counter">The first.</param>
    /// <param name="destination">Room for them.</param>
    /// <param name="blocks">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void EncryptCounters(Vector128<ulong> counter, byte* destination, int blocks)
    {
        var keys = Keys;
        for (; blocks >= Together; blocks -= Together)
        {
            var key = keys[0];
            var b0 = counter.AsByte() ^ key;
            var b1 = (counter + Vector128.Create(1UL, 0)).AsByte() ^ key;
            var b2 = (counter + Vector128.Create(2UL, 0)).AsByte() ^ key;
            var b3 = (counter + Vector128.Create(3UL, 0)).AsByte() ^ key;
            var b4 = (counter + Vector128.Create(4UL, 0)).AsByte() ^ key;
            var b5 = (counter + Vector128.Create(5UL, 0)).AsByte() ^ key;
            var b6 = (counter + Vector128.Create(6UL, 0)).AsByte() ^ key;
            var b7 = (counter + Vector128.Create(7UL, 0)).AsByte() ^ key;
            for (var round = 1; round < Rounds; round++)
            {
                key = keys[round];
                b0 = X86Aes.Encrypt(b0, key);
                b1 = X86Aes.Encrypt(b1, key);
                b2 = X86Aes.Encrypt(b2, key);
                b3 = X86Aes.Encrypt(b3, key);
                b4 = X86Aes.Encrypt(b4, key);
                b5 = X86Aes.Encrypt(b5, key);
                b6 = X86Aes.Encrypt(b6, key);
                b7 = X86Aes.Encrypt(b7, key);
            }

            key = keys[Rounds];
            X86Aes.EncryptLast(b0, key).Store(destination);
            X86Aes.EncryptLast(b1, key).Store(destination + BlockSize);
            X86Aes.EncryptLast(b2, key).Store(destination + (2 * BlockSize));
            X86Aes.EncryptLast(b3, key).Store(destination + (3 * BlockSize));
            X86Aes.EncryptLast(b4, key).Store(destination + (4 * BlockSize));
            X86Aes.EncryptLast(b5, key).Store(destination + (5 * BlockSize));
            X86Aes.EncryptLast(b6, key).Store(destination + (6 * BlockSize));
            X86Aes.EncryptLast(b7, key).Store(destination + (7 * BlockSize));
            counter += Vector128.Create((ulong)Together, 0);
            destination += Together * BlockSize;
        }

        for (; blocks > 0; blocks--, destination += BlockSize)
        {
            Encrypt(counter.AsByte()).Store(destination);
            counter += Vector128.Create(1UL, 0);
        }
    }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose() => _schedule.Dispose();

    /// <summary>The next two round keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expand(Vector128<byte>* keys, ref Vector128<byte> even, ref Vector128<byte> odd, [ConstantExpected] byte constant)
    {
        even = Mix(even, Sse2.Shuffle(X86Aes.KeygenAssist(odd, constant).AsUInt32(), 0xff).AsByte());
        odd = Mix(odd, Sse2.Shuffle(X86Aes.KeygenAssist(even, 0).AsUInt32(), 0xaa).AsByte());
        (keys[0], keys[1]) = (even, odd);
    }

    /// <summary>Every word with all words before it, and the substituted one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Mix(Vector128<byte> key, Vector128<byte> substituted)
    {
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 4);
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 8);
        return key ^ substituted;
    }
}
