namespace LoraFhe.Models;

/// <summary>Python's slices and indices: negative ones count from the end, and a slice never reaches out of the sequence.</summary>
/// <param name="Start">The first element; null for the first there is.</param>
/// <param name="Stop">The element before which the slice ends; null for the end.</param>
/// <param name="Step">From one element to the next, not 0.</param>
internal readonly record struct PythonSlice(long? Start, long? Stop, long Step)
{
    /// <summary>An index as counted from the start; below 0 or from the count on if there is no such element.</summary>
    public static long Resolve(long index, int count) => index < 0 ? index + count : index;

    /// <summary>The slice of a text.</summary>
    public string Of(TemplateRun run, string text)
    {
        if (Step != 1 || text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') >= 0)
        {
            return string.Concat(Of(run, PythonString.Characters(run, text)));
        }

        run.Spend(text.Length);
        (long start, long stop) = Bounds(text.Length);
        return start < stop ? text[(int)start..(int)stop] : "";
    }

    /// <summary>The slice of a sequence.</summary>
    public IReadOnlyList<T> Of<T>(TemplateRun run, IReadOnlyList<T> items)
    {
        (long start, long stop) = Bounds(items.Count);

        // A longer step leaves the sequence as well, and no sum overflows.
        long step = Math.Clamp(Step, -items.Count - 1L, items.Count + 1L);
        var slice = new List<T>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            run.Step();
            slice.Add(items[(int)i]);
        }

        return slice;
    }

    private (long Start, long Stop) Bounds(int count)
    {
        (long lowest, long highest) = Step > 0 ? (0L, (long)count) : (-1L, count - 1L);
        long start = Start is { } first ? Math.Clamp(Resolve(first, count), lowest, highest) : Step > 0 ? lowest : highest;
        long stop = Stop is { } last ? Math.Clamp(Resolve(last, count), lowest, highest) : Step > 0 ? highest : lowest;
        return (start, stop);
    }
}
