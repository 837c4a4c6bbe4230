namespace LoraFhe.Benchmarks;

/// <summary>What the parts of a step cost on a machine, all of it measured.</summary>
/// <param name="TorchGmacs">Multiply-adds a nanosecond of libtorch, at the model's widths.</param>
/// <param name="ServerGmacs">Of the integer product, at the model's widths.</param>
/// <param name="EncryptNanoseconds">A number.</param>
/// <param name="DecryptNanoseconds">A number.</param>
/// <param name="LogitNanoseconds">Of the head, the loss and what is done once a step, a logit, over the head's multiply-adds.</param>
/// <param name="ElementNanoseconds">Of attention, norms, activations and adapters, forward and backward, a number of <see cref="TransformerShape.Elements"/>.</param>
internal sealed record StepConstants(
    double TorchGmacs, double ServerGmacs, double EncryptNanoseconds, double DecryptNanoseconds, double LogitNanoseconds, double ElementNanoseconds)
{
    /// <summary>From steps of a model at several depths, and from one of its products.</summary>
    /// <param name="shape">The model, with any number of layers.</param>
    /// <param name="tokens">A step.</param>
    /// <param name="depths">Steps in torch mode: the line through them has the cost of a layer as its slope.</param>
    /// <param name="product">A product of the model's widths.</param>
    public static StepConstants Of(TransformerShape shape, int tokens, IReadOnlyList<DepthPoint> depths, GrowthPoint product)
    {
        var (once, layer) = Line.Through([.. depths.Select(point => (double)point.Layers)], [.. depths.Select(point => point.Torch)]);
        var one = shape with { Layers = 1 };
        var head = tokens * shape.HeadMultiplyAdds / product.TorchGmacs / 1e9;
        var frozen = tokens * 2 * one.Weights / product.TorchGmacs / 1e9;
        return new StepConstants(
            product.TorchGmacs, product.ServerGmacs, product.EncryptNanoseconds, product.DecryptNanoseconds,
            Math.Max(0, once - head) * 1e9 / ((double)tokens * shape.Vocabulary),
            Math.Max(0, layer - frozen) * 1e9 / (tokens * one.Elements));
    }

    /// <summary>The same machine at another model's widths.</summary>
    public StepConstants At(GrowthPoint product) => this with
    {
        TorchGmacs = product.TorchGmacs,
        ServerGmacs = product.ServerGmacs,
        EncryptNanoseconds = product.EncryptNanoseconds,
        DecryptNanoseconds = product.DecryptNanoseconds,
    };
}
