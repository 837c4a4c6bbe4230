using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The weights of a model that was not loaded: matrices normal, biases 0, norms 1, as transformers draws them.</summary>
internal static class FreshWeights
{
    /// <param name="model">Whose parameters are set.</param>
    /// <param name="deviation">The standard deviation of a matrix, by its name.</param>
    public static void Fill(nn.Module model, Func<string, double> deviation)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (name.EndsWith(".bias", StringComparison.Ordinal))
            {
                nn.init.zeros_(parameter);
            }
            else if (parameter.dim() > 1)
            {
                nn.init.normal_(parameter, 0, deviation(name));
            }
            else
            {
                nn.init.ones_(parameter);
            }
        }
    }
}
