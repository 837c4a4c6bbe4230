using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>Where a mask's bytes lie, to be read after the mask gave them back: the message is held, the secret's memory stays in the session's pool, the rest tells that it is freed, which zeroes it.</summary>
internal sealed unsafe class MaskMemory
{
    private readonly NativeBuffer _message;
    private readonly SecretMemory _answerMasks;
    private readonly byte* _secret;
    private readonly int _secretLength;

    public MaskMemory(MaskAhead mask)
    {
        var secret = Secret(mask);
        _message = Message(Request(mask));
        _answerMasks = AnswerMasks(secret)!;
        _secret = (byte*)secret.Factors(0);
        _secretLength = secret.Length;
        var held = false;
        _message.DangerousAddRef(ref held);
        Assert.True(_answerMasks.Bytes.ContainsAnyExcept((byte)0));
        Assert.True(HoldsSecrets);
    }

    ~MaskMemory() => _message.DangerousRelease();

    public bool HoldsSomething => HoldsSecrets || Words.ContainsAnyExcept((byte)0);

    public bool HoldsSecrets => new ReadOnlySpan<byte>(_secret, _secretLength).ContainsAnyExcept((byte)0) || !IsFreed(_answerMasks);

    private ReadOnlySpan<byte> Words => new ReadOnlySpan<byte>(_message.Pointer, (int)_message.Length)[MessageHeader.Size..];

    private static bool IsFreed(SecretMemory memory)
    {
        try
        {
            return memory.Pointer is null;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_secret")]
    private static extern ref OneTimeSecret Secret(MaskAhead mask);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_ciphertext")]
    private static extern ref Ciphertext Request(MaskAhead mask);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_message")]
    private static extern ref NativeBuffer Message(Ciphertext ciphertext);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_answerMasks")]
    private static extern ref SecretMemory? AnswerMasks(OneTimeSecret secret);
}
