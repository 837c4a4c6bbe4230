namespace LoraFhe.Cryptography.Client;

/// <summary>What a kernel needs of a vector of 32-bit words, one feature a lane. Each width and instruction set is one small struct; the loops are written once, in <see cref="LaneKernel{TLanes, TVector}"/>.</summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>Words of a vector: 8 or 16.</summary>
    static abstract int Count { get; }

    /// <summary>Whether this processor runs it fast.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>The name in reports.</summary>
    static abstract string Name { get; }

    /// <summary>All lanes the same word.</summary>
    static abstract TVector Broadcast(uint value);

    /// <summary>64-bit lanes of value·2³².</summary>
    static abstract TVector HighWords(uint value);

    /// <summary>Asks for a cache line that is read soon. Beyond the end of an array it does nothing.</summary>
    static abstract void Prefetch(uint* source);

    /// <summary>Reads <see cref="Count"/> words.</summary>
    static abstract TVector Load(uint* source);

    /// <summary>Writes <see cref="Count"/> words.</summary>
    static abstract void Store(TVector value, uint* destination);

    /// <summary>a + b modulo 2³².</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a − b modulo 2³².</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>The smaller, unsigned.</summary>
    static abstract TVector Min(TVector a, TVector b);

    /// <summary>a·b modulo 2³².</summary>
    static abstract TVector MultiplyLow(TVector a, TVector b);

    /// <summary>The odd words moved to the even places; the odd places hold anything.</summary>
    static abstract TVector OddToEven(TVector a);

    /// <summary>64-bit products of the even words, unsigned.</summary>
    static abstract TVector MultiplyEven(TVector a, TVector b);

    /// <summary>64-bit products of the even words, signed.</summary>
    static abstract TVector MultiplyEvenSigned(TVector a, TVector b);

    /// <summary>Sums of 64-bit lanes.</summary>
    static abstract TVector Add64(TVector a, TVector b);

    /// <summary>The high words of 64-bit lanes: those of <paramref name="even"/> at the even places, those of <paramref name="odd"/> at the odd.</summary>
    static abstract TVector MergeHigh(TVector even, TVector odd);

    /// <summary><see cref="Count"/> signed bytes, widened.</summary>
    static abstract TVector LoadBytes(sbyte* source);

    /// <summary>roundEven(clamp(row·channel·scale, ±bound)), products in double.</summary>
    static abstract TVector Encode(float* row, double* channels, double scale, double bound);

    /// <summary>(float)(code·scale·channel), products in double.</summary>
    static abstract void Decode(TVector codes, double scale, double* channels, float* destination);
}
