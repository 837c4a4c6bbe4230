using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.utils.data;

namespace LoraFhe.Samples.LoraMlp;

/// <summary>Noisy points of two circles around one center: class 0 on the outer one, class 1 on one of half its radius.</summary>
/// <param name="Points">Float32 [n, 2].</param>
/// <param name="Labels">Int64 [n].</param>
internal sealed record TwoCircles(Tensor Points, Tensor Labels)
{
    private const int BatchSize = 32;
    private const double Noise = 0.1;

    /// <summary>Draws points from torch's generator, as many of each class.</summary>
    public static TwoCircles Draw(int count, double radius, double centerX, double centerY)
    {
        using var scope = NewDisposeScope();
        var labels = arange(count).remainder(2);
        var angles = rand(count) * (2 * Math.PI);
        var circles = stack([angles.cos(), angles.sin()], 1) * (1 - (labels * 0.5f)).unsqueeze(1);
        var points = ((circles + (randn(count, 2) * Noise)) * radius) + tensor([(float)centerX, (float)centerY]);
        return new TwoCircles(points.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }

    /// <summary>TorchSharp's own loader: the points in batches, shuffled.</summary>
    public IterableDataLoader Loader(int seed) => DataLoader(TensorDataset(Points, Labels), BatchSize, shuffle: true, seed: seed);

    /// <summary>The share of points whose class a model finds, 0 to 1.</summary>
    public double Accuracy(nn.Module<Tensor, Tensor> model)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        return model.call(Points).argmax(1).eq(Labels).to(float32).mean().item<float>();
    }
}
