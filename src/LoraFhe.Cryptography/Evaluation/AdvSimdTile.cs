using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace LoraFhe.Cryptography;

/// <summary>Two tokens by sixteen outputs for Arm's 32 registers of 128 bits: sixteen sums, four weight vectors and two of limbs.</summary>
/// <remarks>
/// <c>ld2</c> takes a pair's weights apart as it reads them; <c>smlal</c> and <c>smlal2</c> multiply eight of them by one limb, chosen by its
/// index, and add to two sums: four products an instruction and no broadcasts. Pairwise forms (<c>smull</c>, <c>smull2</c>, <c>addp</c>,
/// <c>add</c>) would take twice as many instructions.
/// </remarks>
internal readonly unsafe struct AdvSimdTile : IRegisterTile<Portable128Vector>
{
    /// <inheritdoc/>
    public static int Tokens => 2;

    /// <inheritdoc/>
    public static int Vectors => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int* limbs, int stride, short* weights, int pairs, Portable128Vector* sums)
    {
        // |weight| summed over a block ≤ 45588 and |limb| ≤ 2¹⁵: no lane leaves (−q, q).
        Vector128<int> low00 = default, low01 = default, low02 = default, low03 = default;
        Vector128<int> high00 = default, high01 = default, high02 = default, high03 = default;
        Vector128<int> low10 = default, low11 = default, low12 = default, low13 = default;
        Vector128<int> high10 = default, high11 = default, high12 = default, high13 = default;
        int* first = limbs, second = limbs + stride;
        for (var end = first + (2 * pairs); first != end; first += 2)
        {
            // Outputs 0 to 7, then 8 to 15, of the pair's first input and of its second.
            var (even0, odd0) = AdvSimd.Arm64.Load2xVector128AndUnzip(weights);
            var (even1, odd1) = AdvSimd.Arm64.Load2xVector128AndUnzip(weights + 16);
            var firstLimbs = Vector64.Load((short*)first);
            var secondLimbs = Vector64.Load((short*)second);
            low00 = AddLowToLower(low00, even0, odd0, firstLimbs);
            low01 = AddLowToUpper(low01, even0, odd0, firstLimbs);
            low02 = AddLowToLower(low02, even1, odd1, firstLimbs);
            low03 = AddLowToUpper(low03, even1, odd1, firstLimbs);
            high00 = AddHighToLower(high00, even0, odd0, firstLimbs);
            high01 = AddHighToUpper(high01, even0, odd0, firstLimbs);
            high02 = AddHighToLower(high02, even1, odd1, firstLimbs);
            high03 = AddHighToUpper(high03, even1, odd1, firstLimbs);
            low10 = AddLowToLower(low10, even0, odd0, secondLimbs);
            low11 = AddLowToUpper(low11, even0, odd0, secondLimbs);
            low12 = AddLowToLower(low12, even1, odd1, secondLimbs);
            low13 = AddLowToUpper(low13, even1, odd1, secondLimbs);
            high10 = AddHighToLower(high10, even0, odd0, secondLimbs);
            high11 = AddHighToUpper(high11, even0, odd0, secondLimbs);
            high12 = AddHighToLower(high12, even1, odd1, secondLimbs);
            high13 = AddHighToUpper(high13, even1, odd1, secondLimbs);
            weights += 32;
            second += 2;
        }

        Store(sums + 0, low00, low01, low02, low03);
        Store(sums + 4, high00, high01, high02, high03);
        Store(sums + 8, low10, low11, low12, low13);
        Store(sums + 12, high10, high11, high12, high13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddLowToLower(Vector128<int> sum, Vector128<short> even, Vector128<short> odd, Vector64<short> limbs)
    {
        sum = AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, even.GetLower(), limbs, 0);
        return AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, odd.GetLower(), limbs, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddLowToUpper(Vector128<int> sum, Vector128<short> even, Vector128<short> odd, Vector64<short> limbs)
    {
        sum = AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, even, limbs, 0);
        return AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, odd, limbs, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddHighToLower(Vector128<int> sum, Vector128<short> even, Vector128<short> odd, Vector64<short> limbs)
    {
        sum = AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, even.GetLower(), limbs, 2);
        return AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, odd.GetLower(), limbs, 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddHighToUpper(Vector128<int> sum, Vector128<short> even, Vector128<short> odd, Vector64<short> limbs)
    {
        sum = AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, even, limbs, 2);
        return AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, odd, limbs, 3);
    }

    private static void Store(Portable128Vector* sums, Vector128<int> first, Vector128<int> second, Vector128<int> third, Vector128<int> fourth)
    {
        first.Store((int*)sums);
        second.Store((int*)(sums + 1));
        third.Store((int*)(sums + 2));
        fourth.Store((int*)(sums + 3));
    }
}
