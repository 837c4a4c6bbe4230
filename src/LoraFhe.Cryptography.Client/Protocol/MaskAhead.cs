using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>The mask of one call, made before the call's rows are there: ⟨a, s⟩ + e for every input, ⟨h, s⟩ for every output, 4 bytes a scalar.</summary>
/// <remarks>
/// An opt-in that gives something up: the secret of an ordinary call depends on its rows as well as on fresh randomness, so that a repeated generator does not repeat it; a mask's cannot. Never
/// make one in a process or machine that may be copied, snapshotted or restored: two copies that spend one mask on two inputs give away the difference of these.
/// It can be spent once, by the client that made it, in the process that made it, before it is as old as it may become; then, or when disposed, it is zeroed. It is held in memory only.
/// Safe for use by several threads: of several uses one succeeds. Source: docs/scheme.md, Masks made ahead.
/// </remarks>
[DebuggerDisplay("{Length} bytes")]
[DebuggerTypeProxy(typeof(Hidden))]
public sealed class MaskAhead : IDisposable
{
    private const int Ready = 0;
    private const int Taken = 1;
    private const int Erased = 2;

    private readonly EncryptedLinearClient _client;
    private readonly OneTimeSecret _secret;
    private readonly Ciphertext _ciphertext;
    private readonly MaskClock _clock;
    private readonly MaskMoment _made;
    private readonly TimeSpan _maxAge;
    private readonly ITimer _timer;
    private int _state;

    /// <summary>Takes the parts, the message's words being ⟨a, s⟩ + e, and begins to age.</summary>
    internal MaskAhead(EncryptedLinearClient client, OneTimeSecret secret, Ciphertext ciphertext, long length, MaskClock clock, MaskMoment made, TimeSpan maxAge)
    {
        (_client, _secret, _ciphertext, _clock, _made, _maxAge) = (client, secret, ciphertext, clock, made, maxAge);
        Length = length;
        _timer = clock.Time.CreateTimer(static mask => ((MaskAhead)mask!).Dispose(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(maxAge, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The oldest a mask may become: one minute.</summary>
    public static TimeSpan MaxAge { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The product it is for.</summary>
    public LayerId Layer => _client.Layer;

    /// <summary>Tokens of the call it is for.</summary>
    public int Tokens => _secret.Tokens;

    /// <summary>Bytes it holds.</summary>
    public long Length { get; }

    /// <summary>Whether it can be spent: it was not, and is not too old. False zeroes it, if it still holds anything.</summary>
    public bool IsUsable
    {
        get
        {
            if (Volatile.Read(ref _state) != Ready)
            {
                return false;
            }

            if (_clock.Permits(_made, _maxAge))
            {
                return true;
            }

            Dispose();
            return false;
        }
    }

    /// <summary>Whether its time is over: it is zeroed.</summary>
    internal bool IsErased => Volatile.Read(ref _state) == Erased;

    /// <summary>Whether this client made it.</summary>
    internal bool IsOf(EncryptedLinearClient client) => ReferenceEquals(_client, client);

    /// <summary>Gives the parts away, once. Whoever gets them zeroes what they hold, however that ends.</summary>
    /// <returns>Whether they were there and not too old; if they were too old they are zeroed.</returns>
    internal bool TryTake([NotNullWhen(true)] out OneTimeSecret? secret, [NotNullWhen(true)] out Ciphertext? ciphertext)
    {
        (secret, ciphertext) = (null, null);
        if (!IsUsable || Interlocked.CompareExchange(ref _state, Taken, Ready) != Ready)
        {
            return false;
        }

        _timer.Dispose();
        (secret, ciphertext) = (_secret, _ciphertext);
        return true;
    }

    /// <summary>What to tell a second user, or one who came too late.</summary>
    internal InvalidOperationException Refusal() => Volatile.Read(ref _state) == Taken ? Errors.MaskSpent(Layer) : Errors.MaskErased(Layer);

    /// <summary>Zeroes the mask, if it was not spent.</summary>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref _state, Erased, Ready) == Ready)
        {
            _timer.Dispose();
            Erase(_secret, _ciphertext);
        }
    }

    /// <summary>Zeroes and frees a mask's parts.</summary>
    internal static void Erase(OneTimeSecret secret, Ciphertext? ciphertext)
    {
        if (ciphertext is not null)
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(ciphertext.Words));
            ciphertext.Dispose();
        }

        secret.Dispose();
    }

    /// <summary>What a debugger unfolds: nothing.</summary>
    private sealed class Hidden(MaskAhead mask)
    {
        /// <summary>Bytes.</summary>
        public long Length => mask.Length;
    }
}
