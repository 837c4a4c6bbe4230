namespace LoraFhe.Benchmarks;

/// <summary>The most managed memory that one operation of a benchmark allocates once everything is warm. A test holds it.</summary>
/// <param name="bytes">Bytes on the thread that runs the operation.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ExpectedAllocationAttribute(long bytes) : Attribute
{
    /// <summary>Bytes on the thread that runs the operation.</summary>
    public long Bytes { get; } = bytes;
}
