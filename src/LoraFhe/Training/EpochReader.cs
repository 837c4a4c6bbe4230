using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Reads one epoch's batches, one ahead, so that the last is known to be the last, also from a loader without a length.</summary>
internal static class EpochReader
{
    /// <summary>The epoch's batches as tensors of our own; each is disposed of when the next is asked for.</summary>
    /// <param name="loader">The data.</param>
    /// <param name="epoch">Which epoch, counted from 1.</param>
    /// <param name="skip">Batches that were done before; they are passed over without being computed.</param>
    /// <param name="device">Where the tensors shall be.</param>
    /// <param name="afterSkip">Called once, when the first batch to compute has been read.</param>
    /// <exception cref="ArgumentException">There is no batch, or there are fewer than <paramref name="skip"/>.</exception>
    public static IEnumerable<(Batch Batch, bool IsLast)> Read(
        IEnumerable<Batch> loader, int epoch, int skip, Device device, Action afterSkip)
    {
        (loader as IEpochLoader)?.SetEpoch(epoch);
        using var batches = loader.GetEnumerator();
        for (var i = 0; i < skip; i++)
        {
            using var passed = Next(batches, loader, device) ?? throw new ArgumentException(Errors.LoaderTooShort(skip, i), nameof(loader));
        }

        var next = Next(batches, loader, device);
        afterSkip();
        if (next is null && skip == 0)
        {
            throw new ArgumentException(Errors.EmptyLoader("trainLoader"), nameof(loader));
        }

        try
        {
            while (next is not null)
            {
                using var current = next;
                next = null;
                next = Next(batches, loader, device);
                yield return (current, next is null);
            }
        }
        finally
        {
            next?.Dispose();
        }
    }

    // A loader may dispose of a batch when asked for the next (TorchSharp's own does), write the next into the same tensors, or use it again
    // in the next epoch (a list does): only what we made is ours, and what an IEpochLoader made for us.
    private static Batch? Next(IEnumerator<Batch> batches, IEnumerable<Batch> loader, Device device)
    {
        if (!batches.MoveNext())
        {
            return null;
        }

        var batch = batches.Current ?? throw new ArgumentException(Errors.NullBatch("trainLoader"), nameof(loader));
        if (loader is not IEpochLoader)
        {
            return batch.CopyTo(device);
        }

        using (batch)
        {
            return batch.To(device);
        }
    }
}
