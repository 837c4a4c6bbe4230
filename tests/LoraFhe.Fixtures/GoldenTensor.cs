namespace LoraFhe.Fixtures;

/// <summary>A recorded tensor in plain memory.</summary>
/// <param name="Name">Its name in its file.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Values">Its elements, row-major.</param>
public sealed record GoldenTensor<T>(string Name, long[] Shape, T[] Values)
    where T : unmanaged;
