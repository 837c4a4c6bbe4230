using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>Expects that what followed two calls before follows them again, with as many rows if it had as many then.</summary>
/// <remarks>A training step repeats the one before it. Two calls tell a layer's second pass, where there is one, from its first. Knows no data, only names and counts that the host sees too.</remarks>
internal sealed class CallForecast
{
    private readonly Dictionary<(EncryptedLinearClient? Before, EncryptedLinearClient Last), (MaskedCall Call, bool HasAsManyRows)> _successors = [];
    private EncryptedLinearClient? _before;
    private MaskedCall? _last;

    /// <summary>Learns the next call.</summary>
    public void Add(MaskedCall call)
    {
        if (_last is { } last)
        {
            _successors[(_before, last.Client)] = (call, call.Tokens == last.Tokens);
        }

        (_before, _last) = (_last?.Client, call);
    }

    /// <summary>The calls expected, the next first: as many as there were different ones.</summary>
    public IEnumerable<MaskedCall> Upcoming()
    {
        var before = _before;
        for (var (last, count) = (_last, _successors.Count); count > 0 && last is { } call; count--)
        {
            if (!_successors.TryGetValue((before, call.Client), out var next))
            {
                yield break;
            }

            before = call.Client;
            last = next.HasAsManyRows ? next.Call with { Tokens = call.Tokens } : next.Call;
            yield return last.Value;
        }
    }
}
