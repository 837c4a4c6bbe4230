using static TorchSharp.torch;

namespace LoraFhe.Samples.LoraMlp;

/// <summary>What a model decides over a square, in characters: ':' where it says inner circle, with the points of a set on top.</summary>
internal static class DecisionMap
{
    private const int Height = 21;
    private const int Width = 2 * Height; // A character is about twice as high as wide.

    /// <summary>Draws a map, a string a line from the top down.</summary>
    /// <param name="model">Decides.</param>
    /// <param name="set">Its points: 'o' on the outer circle, 'x' on the inner one.</param>
    /// <param name="centerX">Middle of the square.</param>
    /// <param name="centerY">Middle of the square.</param>
    /// <param name="half">Half its side.</param>
    public static string[] Draw(nn.Module<Tensor, Tensor> model, TwoCircles set, double centerX, double centerY, double half)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        var columns = linspace(centerX - half, centerX + half, Width, float32);
        var lines = linspace(centerY + half, centerY - half, Height, float32);
        var grid = stack([columns.repeat(Height), lines.repeat_interleave(Width)], 1);
        var cells = model.call(grid).argmax(1).data<long>().Select(inner => inner == 1 ? ':' : ' ').ToArray();

        var (points, labels) = (set.Points.data<float>().ToArray(), set.Labels.data<long>().ToArray());
        for (var i = 0; i < labels.Length; i++)
        {
            var column = (int)Math.Round((points[2 * i] - centerX + half) / (2 * half) * (Width - 1));
            var line = (int)Math.Round((centerY + half - points[(2 * i) + 1]) / (2 * half) * (Height - 1));
            if (column is >= 0 and < Width && line is >= 0 and < Height)
            {
                cells[(line * Width) + column] = labels[i] == 1 ? 'x' : 'o';
            }
        }

        return [.. cells.Chunk(Width).Select(line => new string(line))];
    }
}
