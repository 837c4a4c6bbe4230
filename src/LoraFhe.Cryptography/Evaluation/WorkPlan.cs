namespace LoraFhe.Cryptography;

/// <summary>How one product is cut into parts that threads take one by one: ranges of tokens by ranges of output panels, none
/// shared.</summary>
/// <remarks>A part of 128 tokens keeps its packed words in a core's second-level cache. Parts write disjoint words; neighbors may share a
/// cache line at a cut, no more.</remarks>
internal readonly struct WorkPlan
{
    /// <summary>The most tokens of a part.</summary>
    public const int MaxTokens = 128;

    // Each part packs its tokens again: more parts than needed cost more than they even out.
    private const int PartsPerThread = 2;

    // Below so many multiply-adds a part costs less than handing it to a thread.
    private const long MinPartWork = 1 << 21;

    private readonly int _tokens;
    private readonly int _panels;
    private readonly int _tokenParts;
    private readonly int _panelParts;

    private WorkPlan(int tokens, int panels, int tokenParts, int panelParts, int threads)
    {
        _tokens = tokens;
        _panels = panels;
        _tokenParts = tokenParts;
        _panelParts = panelParts;
        Threads = threads;
    }

    /// <summary>Parts in all.</summary>
    public int Parts => _tokenParts * _panelParts;

    /// <summary>Threads worth using.</summary>
    public int Threads { get; }

    /// <summary>Plans a product.</summary>
    public static WorkPlan For(int inputs, int tokens, int panels, int panelOutputs, int maxThreads)
    {
        var tokenParts = (int)(((long)tokens + MaxTokens - 1) / MaxTokens);
        var work = (long)inputs * tokens * panels * panelOutputs;
        var threads = (int)Math.Min(maxThreads, Math.Max(1, work / MinPartWork));
        if (threads == 1)
        {
            return new WorkPlan(tokens, panels, tokenParts, 1, 1);
        }

        // Two parts for each thread, so that one that is held up does not hold up the rest; panels are cut where tokens give too few.
        var wanted = Math.Min((long)PartsPerThread * threads, work / MinPartWork);
        var panelParts = (int)Math.Clamp((wanted + tokenParts - 1) / tokenParts, 1, panels);
        return new WorkPlan(tokens, panels, tokenParts, panelParts, threads);
    }

    /// <summary>A part's first token and number of tokens.</summary>
    /// <remarks>Cuts fall on even tokens: of tiles of two, only the last part's can be left with one.</remarks>
    public (int First, int Count) TokensOf(int part)
    {
        var (first, count) = Range(part % _tokenParts, _tokenParts, (_tokens + 1) / 2);
        return (first * 2, Math.Min(count * 2, _tokens - (first * 2)));
    }

    /// <summary>A part's first panel and number of panels.</summary>
    public (int First, int Count) PanelsOf(int part) => Range(part / _tokenParts, _panelParts, _panels);

    private static (int First, int Count) Range(int index, int parts, int length)
    {
        var first = (int)((long)index * length / parts);
        return (first, (int)((index + 1L) * length / parts) - first);
    }
}
