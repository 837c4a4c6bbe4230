using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>
/// Computes the encrypted products of frozen layers. <see cref="InProcessFheBackend"/> is the default; a server is another; a user's own a
/// third. It sees spans only, never tensors.
/// </summary>
/// <remarks>Calls come one at a time, from the thread that trains. An exception reaches the caller of the training step as it is, from a
/// backward product too.</remarks>
public interface IFheBackend : IDisposable
{
    /// <summary>A short name for logs, such as <c>in-process</c>.</summary>
    string Name { get; }

    /// <summary>What has crossed so far, all layers together.</summary>
    FheTraffic Traffic { get; }

    /// <summary>Called when a compiled model first comes to execute, before the first product is asked for, and not at all if it never does: makes ready
    /// the products that will be asked for. Called again, it replaces what was prepared, or tries anew what failed; with no layers it lets go of
    /// everything, as a model asks for when it is compiled again or cleared.</summary>
    /// <param name="layers">The frozen layers, in the order in which the model names them.</param>
    /// <param name="progress">Told of each product that is ready.</param>
    /// <param name="cancellationToken">Stops between products, or sooner.</param>
    /// <exception cref="OperationCanceledException">The preparation was stopped.</exception>
    void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Computes one product. No bias is added.</summary>
    /// <param name="layer">Which layer and direction.</param>
    /// <param name="rows">Float32 [tokens, inputs], row-major, finite. Forward: activations [n, in]; backward: gradients [n, out].</param>
    /// <param name="tokens">Rows, at least 1.</param>
    /// <param name="destination">Float32 [tokens, outputs]. Forward: [n, out]; backward: [n, in]. Every element is to be written: it comes with
    /// whatever was in that memory.</param>
    /// <exception cref="InvalidOperationException">The layer was not prepared.</exception>
    void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination);
}
