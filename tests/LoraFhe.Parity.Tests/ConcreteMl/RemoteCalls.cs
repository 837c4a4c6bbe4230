using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Calls of remote modules as text: name, shape of the input, shape of the output.</summary>
internal static class RemoteCalls
{
    /// <summary>Those of a run's first batch.</summary>
    public static IEnumerable<string> Recorded(GoldenJson run) => run["remote_calls_first_batch"].Items.Select(call =>
        Text(call["module"].AsString, call["in"].AsInt64s, call["out"].AsInt64s));

    /// <summary>A call.</summary>
    public static string Text(string module, long[] input, long[] output) => $"{module} [{string.Join(',', input)}] [{string.Join(',', output)}]";
}
