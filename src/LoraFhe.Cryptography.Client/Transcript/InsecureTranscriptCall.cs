namespace LoraFhe.Cryptography.Client;

/// <summary>One recorded call: every byte that crossed, and what opens it.</summary>
internal sealed class InsecureTranscriptCall
{
    /// <summary>Takes all parts.</summary>
    public InsecureTranscriptCall(LayerId layer, Binding binding, byte[] request, byte[] response, InsecureTranscriptGroup[] groups, double[] inverseScales) =>
        (Layer, Binding, Request, Response, Groups, InverseScales) = (layer, binding, request, response, groups, inverseScales);

    /// <summary>The product.</summary>
    public LayerId Layer { get; }

    /// <summary>Its binding.</summary>
    public Binding Binding { get; }

    /// <summary>The message that was sent.</summary>
    public byte[] Request { get; }

    /// <summary>The message that came back.</summary>
    public byte[] Response { get; }

    /// <summary>The groups with their spent secrets.</summary>
    public InsecureTranscriptGroup[] Groups { get; }

    /// <summary>1/S_t [tokens].</summary>
    public double[] InverseScales { get; }
}
