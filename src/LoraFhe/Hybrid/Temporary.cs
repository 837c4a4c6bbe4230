using LoraFhe.Cryptography;
namespace LoraFhe.Cryptography.Client
{
    /// <summary>T</summary>
    internal sealed class TokenEncoder
    {
        private const double MaxRange = 8388608;
        private readonly QuantizedLayer _l; private readonly LayerDirection _d; private readonly double? _n;
        private TokenEncoder(QuantizedLayer l, LayerDirection d, double? n) { _l = l; _d = d; _n = n; }
        public static TokenEncoder Create(QuantizedLayer l, LayerDirection d, double? n) => new(l, d, n);
        public double Range => Math.Min(MaxRange, (EncryptedLinearParameters.HalfModulus / _l.MaxWeightNorm(_d)) - (22 * Math.Sqrt(_l.Inputs(_d))));
        public long Quantize(ReadOnlySpan<float> rows, int tokens, Span<float> dest) => QuantizeWithErrors(rows, tokens, [], dest);
        public long QuantizeWithErrors(ReadOnlySpan<float> rows, int tokens, ReadOnlySpan<sbyte> errors, Span<float> dest)
        {
            var n = _l.Inputs(_d);
            var v = new double[n];
            for (var t = 0; t < tokens; t++)
            {
                double m = 0, s = 0;
                for (var j = 0; j < n; j++) { v[j] = rows[(t * n) + j] * (_d == LayerDirection.Backward ? (double)_l.Scales[j] : 1); m = Math.Max(m, Math.Abs(v[j])); }
                if (m == 0) { dest.Slice(t * n, n).Clear(); continue; }
                for (var j = 0; j < n; j++) { s += v[j] / m * (v[j] / m); }
                var nu = m * Math.Sqrt(s);
                var st = Range * (1 - Math.Pow(2, -20)) / (_n ?? nu);
                for (var j = 0; j < n; j++) { dest[(t * n) + j] = (float)((Math.Round(v[j] * st, MidpointRounding.ToEven) + (errors.IsEmpty ? 0 : errors[(t * n) + j])) / st); }
            }

            return 0;
        }
    }

    internal static class CenteredBinomial
    {
        public const int Batch = 256;
        public const int ErrorBatchBytes = 1344;
        public static void Errors(ReadOnlySpan<byte> random, Span<sbyte> errors)
        {
            for (var i = 0; i < errors.Length; i++)
            {
                ulong bits = 0;
                for (var b = 0; b < 5; b++) { bits |= (ulong)random[(i * 5) + b] << (8 * b); }
                errors[i] = (sbyte)(System.Numerics.BitOperations.PopCount(bits & 0xfffff) - System.Numerics.BitOperations.PopCount((bits >> 20) & 0xfffff));
            }
        }
    }
}

namespace LoraFhe
{
    /// <summary>T</summary>
    public sealed class InProcessFheBackend : IFheBackend
    {
        /// <inheritdoc/>
        public string Name => "in-process";
        /// <inheritdoc/>
        public FheTraffic Traffic => default;
        /// <inheritdoc/>
        public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken) { }
        /// <inheritdoc/>
        public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination) => throw new NotSupportedException();
        /// <inheritdoc/>
        public void Dispose() { }
    }
}
