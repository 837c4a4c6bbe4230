using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests;

/// <summary>Recorded tensors as torch's. Each belongs to the dispose scope it is read in.</summary>
internal static class GoldenTensors
{
    /// <summary>An integer or boolean tensor.</summary>
    public static Tensor Int64Tensor(this Golden golden, string file, string name)
    {
        var recorded = golden.Int64s(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }

    /// <summary>A float tensor in single precision.</summary>
    public static Tensor SingleTensor(this Golden golden, string file, string name)
    {
        var recorded = golden.Singles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float32);
    }

    /// <summary>A float tensor in double precision.</summary>
    public static Tensor DoubleTensor(this Golden golden, string file, string name)
    {
        var recorded = golden.Doubles(file, name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float64);
    }

    /// <summary>Whether a file of the case has a tensor.</summary>
    public static bool Has(this Golden golden, string file, string name) => golden.Tensors(file).Entries.Any(entry => entry.Name == name);

    /// <summary>The tolerance that the case states for a kind of values.</summary>
    public static double ToleranceOf(this Golden golden, string kind) => golden.Expected["tolerance_abs"][kind].AsDouble;
}
