namespace LoraFhe.Cryptography;

/// <summary>The exact product C = W·B modulo q: what a kernel offers, whatever its width.</summary>
/// <remarks>Stateless and safe for use by several threads.</remarks>
internal abstract class IntegerGemm
{
    private protected IntegerGemm()
    {
    }

    /// <summary>How the kernel is called in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Outputs that are computed at once.</summary>
    public abstract int PanelOutputs { get; }

    /// <summary>Inputs from which a Strassen level gains at least 3 %: the faster the kernel, the more its additions weigh.</summary>
    public abstract int StrassenInputs { get; }

    /// <summary>Puts a layer's weights in this kernel's order, once, on at most so many threads.</summary>
    public abstract PackedWeights Pack(QuantizedLayer layer, LayerDirection direction, int maxThreads);

    /// <summary>Multiplies.</summary>
    /// <param name="weights">Weights that this kernel packed.</param>
    /// <param name="source">B: the product's inputs. Every word in its stated range.</param>
    /// <param name="target">C: the product's outputs; all of it is written, a padded form's padding with zeros.</param>
    /// <param name="maxThreads">The most threads, the caller's own included; at least 1. With 1 all runs on the caller's thread.</param>
    /// <param name="cancellationToken">Asked between parts of the work.</param>
    public abstract void Multiply(
        PackedWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads, CancellationToken cancellationToken);
}
