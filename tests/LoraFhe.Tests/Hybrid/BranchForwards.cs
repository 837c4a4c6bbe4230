using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What a model's forward may do with layers that calibration found to share an input.</summary>
internal static class BranchForwards
{
    public static IReadOnlyDictionary<string, Func<Branches, Tensor, Tensor>> All { get; } = new Dictionary<string, Func<Branches, Tensor, Tensor>>
    {
        ["all three"] = (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x), m.V.call(x)),
        ["another order"] = (m, x) =>
        {
            var v = m.V.call(x);
            var k = m.K.call(x);
            return Branches.Mix(m.Q.call(x), k, v);
        },
        ["one left out"] = (m, x) => m.Q.call(x) * m.V.call(x),
        ["one alone"] = (m, x) => m.K.call(x),
        ["one twice"] = (m, x) => Branches.Mix(m.Q.call(x) + m.Q.call(x), m.K.call(x), m.V.call(x)),
        ["another input for one"] = (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x * 2), m.V.call(x)),
        ["a copy for one"] = (m, x) => Branches.Mix(m.Q.call(x), m.K.call(x.clone() * 1), m.V.call(x.detach())),
        ["an input from the graph"] = (m, x) =>
        {
            var h = tanh(x);
            return Branches.Mix(m.Q.call(h), m.K.call(h), m.V.call(h));
        },
        ["changed in between"] = (m, x) =>
        {
            var h = x * 1;
            var q = m.Q.call(h);
            h.mul_(3);
            return Branches.Mix(q, m.K.call(h), m.V.call(h));
        },
        ["changed in between to the same values"] = (m, x) =>
        {
            var h = x * 1;
            var q = m.Q.call(h);
            h.mul_(m.Gate);
            return Branches.Mix(q, m.K.call(h), m.V.call(h));
        },
        ["written past the graph in between"] = (m, x) =>
        {
            var h = x * 1;
            var q = m.Q.call(h);
            TensorData.Write(h)[3] = 5;
            return Branches.Mix(q, m.K.call(h), m.V.call(h));
        },
        ["cut out of the graph and put back in between"] = (m, x) =>
        {
            var h = x * 1;
            var q = m.Q.call(h);
            h.detach_().requires_grad_(true);
            return Branches.Mix(q, m.K.call(h), m.V.call(h));
        },
        ["the first without a graph"] = (m, x) =>
        {
            Tensor q;
            using (no_grad())
            {
                q = m.Q.call(x);
            }

            return Branches.Mix(q, m.K.call(x), m.V.call(x));
        },
        ["the last without a graph"] = (m, x) =>
        {
            var (q, k) = (m.Q.call(x), m.K.call(x));
            using var noGraph = no_grad();
            var v = m.V.call(x);
            using var graph = enable_grad();
            return Branches.Mix(q, k, v);
        },
        ["a gradient for one"] = (m, x) => Branches.Mix(m.Q.call(x).detach(), m.K.call(x), m.V.call(x).detach()),
        ["no use of one"] = (m, x) =>
        {
            m.Q.call(x);
            return m.K.call(x);
        },
        ["outputs changed in place"] = (m, x) => Branches.Mix(m.Q.call(x).mul_(2), m.K.call(x).relu_(), m.V.call(x).add_(m.Gate[0])),
        ["recomputed"] = (m, x) =>
        {
            using (no_grad())
            {
                Branches.Mix(m.Q.call(x), m.K.call(x), m.V.call(x));
            }

            return Branches.Mix(m.Q.call(x), m.K.call(x), m.V.call(x));
        },
        ["two inputs by turns"] = (m, x) =>
        {
            var h = x * 2;
            var (q, other) = (m.Q.call(x), m.Q.call(h));
            return Branches.Mix(q + other, m.K.call(x) + m.K.call(h), m.V.call(x) + m.V.call(h));
        },
        ["one dimension"] = (m, x) =>
        {
            var h = x[0, 0];
            return Branches.Mix(m.Q.call(h), m.K.call(h), m.V.call(h));
        },
        ["no rows"] = (m, x) =>
        {
            var h = x.narrow(0, 0, 0);
            return Branches.Mix(m.Q.call(h), m.K.call(h), m.V.call(h));
        },
    };
}
