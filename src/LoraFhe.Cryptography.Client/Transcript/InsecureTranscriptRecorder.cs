using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>Keeps what crossed and the spent secrets of each call, so that somebody else's program can repeat the decryption. Whoever has this opens every recorded call.</summary>
/// <remarks>Safe for use by several threads. Only the sample's <c>--record</c> makes one.</remarks>
internal sealed class InsecureTranscriptRecorder
{
    private readonly Action<InsecureTranscriptCall> _sink;
    private readonly Lock _order = new();

    /// <summary>Takes who gets each call, one at a time, after its decryption.</summary>
    public InsecureTranscriptRecorder(Action<InsecureTranscriptCall> sink) => _sink = sink;

    /// <summary>Hands on one call.</summary>
    public unsafe void Record(LayerId layer, Binding binding, byte[]? request, ReadOnlySpan<byte> response, OneTimeSecret secret)
    {
        if (request is null)
        {
            return;
        }

        var groups = new InsecureTranscriptGroup[secret.Groups.Length];
        for (var g = 0; g < groups.Length; g++)
        {
            var coefficients = new sbyte[EncryptedLinearParameters.SecretDimension];
            new ReadOnlySpan<sbyte>(secret.Coefficients(g), coefficients.Length).CopyTo(coefficients);
            groups[g] = new InsecureTranscriptGroup(secret.Groups[g], coefficients);
        }

        var scales = new double[secret.Tokens];
        new ReadOnlySpan<double>(secret.InverseScales, scales.Length).CopyTo(scales);
        var call = new InsecureTranscriptCall(layer, binding, request, response.ToArray(), groups, scales);
        try
        {
            lock (_order)
            {
                _sink(call);
            }
        }
        finally
        {
            foreach (var group in groups)
            {
                MemoryMarshal.AsBytes(group.Coefficients.AsSpan()).Clear();
            }
        }
    }
}
