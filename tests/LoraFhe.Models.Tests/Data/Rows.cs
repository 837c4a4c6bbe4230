using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Tensors and examples as plain arrays.</summary>
internal static class Rows
{
    public static long[][] ToRows(this Tensor tensor)
    {
        Assert.Equal(ScalarType.Int64, tensor.dtype);
        long[] values = tensor.data<long>().ToArray();
        return [.. values.Chunk((int)tensor.shape[1])];
    }

    public static int[][] Ids(this TextDataset dataset) => [.. dataset.Examples.Select(example => example.InputIds.ToArray())];
}
