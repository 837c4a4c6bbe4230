namespace LoraFhe.Cryptography;

/// <summary>Which way a message travels.</summary>
internal enum MessageKind
{
    /// <summary>From the data owner: B.</summary>
    Request,

    /// <summary>From the server: C = W·B.</summary>
    Response,
}
