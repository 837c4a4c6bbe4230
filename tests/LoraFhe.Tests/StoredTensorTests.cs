using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class StoredTensorTests
{
    [Theory]
    [InlineData(ScalarType.Float16, SafetensorsDType.F16)]
    [InlineData(ScalarType.BFloat16, SafetensorsDType.BF16)]
    [InlineData(ScalarType.Float32, SafetensorsDType.F32)]
    [InlineData(ScalarType.Float64, SafetensorsDType.F64)]
    [InlineData(ScalarType.Int64, SafetensorsDType.I64)]
    [InlineData(ScalarType.Int32, SafetensorsDType.I32)]
    [InlineData(ScalarType.Bool, SafetensorsDType.Bool)]
    public void A_tensor_is_stored_in_its_own_type_row_by_row(ScalarType type, SafetensorsDType expected)
    {
        using var scope = NewDisposeScope();
        var transposed = tensor(new float[] { 0, 1, 1, 0, 1, 0 }, 3, 2).to(type).t();

        var stored = StoredTensor.Of("t", transposed);

        Assert.Equal(expected, stored.DType);
        Assert.Equal([2, 3], stored.Shape);
        Assert.Equal(tensor(new float[] { 0, 1, 1, 1, 0, 0 }, 2, 3).to(type).bytes.ToArray(), stored.Data.ToArray());
    }

    [Fact]
    public void A_type_without_a_form_is_refused_by_the_tensors_name()
    {
        using var complex = zeros(2, dtype: ScalarType.ComplexFloat32);
        var error = Assert.Throws<NotSupportedException>(() => StoredTensor.Of("rotation", complex));
        Assert.StartsWith("'rotation' is ComplexFloat32", error.Message, StringComparison.Ordinal);
    }
}
