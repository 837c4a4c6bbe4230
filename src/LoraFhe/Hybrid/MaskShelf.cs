using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>Masks that wait for their calls, the oldest of each kind first, and how many bytes they hold.</summary>
internal sealed class MaskShelf
{
    private readonly Dictionary<MaskedCall, Queue<MaskAhead>> _masks = [];

    /// <summary>Bytes of all.</summary>
    public long Length { get; private set; }

    /// <summary>How many there are for a call.</summary>
    public int Count(MaskedCall call) => _masks.TryGetValue(call, out var queue) ? queue.Count : 0;

    /// <summary>Puts one there.</summary>
    public void Add(MaskedCall call, MaskAhead mask)
    {
        if (!_masks.TryGetValue(call, out var queue))
        {
            _masks.Add(call, queue = []);
        }

        queue.Enqueue(mask);
        Length += mask.Length;
    }

    /// <summary>Takes the oldest usable one of a call; those past their time before it are dropped.</summary>
    public MaskAhead? Take(MaskedCall call)
    {
        while (Remove(call) is { } mask)
        {
            if (mask.IsUsable)
            {
                return mask;
            }

            mask.Dispose();
        }

        return null;
    }

    /// <summary>Drops what has expired, then one mask of a kind that there are more of than are needed.</summary>
    /// <returns>Whether anything was dropped.</returns>
    public bool DropOne(IReadOnlyDictionary<MaskedCall, int> needed)
    {
        var before = Length;
        foreach (var (call, queue) in _masks.ToArray())
        {
            while (queue.TryPeek(out var oldest) && oldest.IsErased)
            {
                Remove(call)?.Dispose();
            }
        }

        if (Length == before && _masks.Keys.Where(call => Count(call) > needed.GetValueOrDefault(call)).Select(call => (MaskedCall?)call).FirstOrDefault() is { } surplus)
        {
            Remove(surplus)?.Dispose();
        }

        return Length < before;
    }

    /// <summary>Zeroes and drops all.</summary>
    public void Clear()
    {
        foreach (var mask in _masks.Values.SelectMany(queue => queue))
        {
            mask.Dispose();
        }

        _masks.Clear();
        Length = 0;
    }

    private MaskAhead? Remove(MaskedCall call)
    {
        if (!_masks.TryGetValue(call, out var queue))
        {
            return null;
        }

        var mask = queue.Dequeue();
        Length -= mask.Length;
        if (queue.Count == 0)
        {
            _masks.Remove(call);
        }

        return mask;
    }
}
