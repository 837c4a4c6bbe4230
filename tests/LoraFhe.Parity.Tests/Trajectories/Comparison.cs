using System.Globalization;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Collects what of a case is off, so that a failure shows all of it.</summary>
/// <param name="name">The case.</param>
internal sealed class Comparison(string name)
{
    private const int Shown = 20;
    private readonly List<string> _off = [];

    /// <summary>Compares a number.</summary>
    public void Number(string what, double expected, double actual, double tolerance)
    {
        // Written so that a number that is none is off.
        if (!(Math.Abs(expected - actual) <= tolerance))
        {
            Add(what, string.Create(
                CultureInfo.InvariantCulture, $"{actual:R}, recorded {expected:R}: off by {Math.Abs(expected - actual):G3}, tolerance {tolerance:G3}"));
        }
    }

    /// <summary>Compares tensors element by element.</summary>
    public void Tensor(string what, Tensor expected, Tensor actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        if (!expected.shape.SequenceEqual(actual.shape))
        {
            Add(what, $"[{string.Join(", ", actual.shape)}], recorded [{string.Join(", ", expected.shape)}]");
            return;
        }

        var distances = (expected.to(float64) - actual.detach().to(float64)).abs().flatten();
        var largest = distances.max().item<double>();
        if (!(largest <= tolerance))
        {
            Add(what, string.Create(
                CultureInfo.InvariantCulture, $"off by {largest:G3} at element {distances.argmax().item<long>()}, tolerance {tolerance:G3}"));
        }
    }

    /// <summary>Fails if anything was off.</summary>
    public void AssertEqual() => Assert.True(
        _off.Count == 0, $"{name}: {_off.Count} values are off.{Environment.NewLine}{string.Join(Environment.NewLine, _off.Take(Shown))}");

    private void Add(string what, string how) => _off.Add($"  {what}: {how}");
}
