using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// Named tensors of one training step: <c>input_ids</c>, <c>attention_mask</c> and <c>labels</c> of a language model, <c>x</c> and
/// <c>labels</c> of a tuple, or whatever a TorchSharp dataset calls them. The order is the order of addition.
/// </summary>
/// <remarks>
/// Tuples (data, labels) and dictionaries of tensors become batches by themselves. A batch holds the tensors it was given, not copies:
/// <see cref="Dispose"/> disposes of them. Names are compared as <c>forward</c>'s parameters are: without case and underscores.
/// </remarks>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "A batch is the field's word; that it is a dictionary is its interface.")]
public sealed class Batch : IReadOnlyDictionary<string, Tensor>, IDisposable
{
    /// <summary>The name a tuple's first element gets.</summary>
    internal const string DataName = "x";

    /// <summary>The name a tuple's second element gets.</summary>
    internal const string LabelsName = "labels";

    private readonly OrderedDictionary<string, Tensor> _tensors = new(TensorName.Comparer);

    /// <summary>Makes a batch of named tensors.</summary>
    /// <param name="tensors">Names and tensors; the batch keeps them, it does not copy.</param>
    /// <exception cref="ArgumentException">Two names differ in case or underscores only, or a tensor is null.</exception>
    public Batch(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (var (name, tensor) in tensors)
        {
            if (tensor is null || !_tensors.TryAdd(name, tensor))
            {
                throw new ArgumentException(Errors.BatchEntry(name, isNull: tensor is null), nameof(tensors));
            }
        }
    }

    /// <summary>Makes a batch of data and labels, named <c>x</c> and <c>labels</c>.</summary>
    /// <param name="x">The model's first input.</param>
    /// <param name="labels">What the loss compares with; null where there is nothing to compare with.</param>
    public Batch(Tensor x, Tensor? labels)
    {
        ArgumentNullException.ThrowIfNull(x);
        _tensors.Add(DataName, x);
        if (labels is not null)
        {
            _tensors.Add(LabelsName, labels);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _tensors.Keys;

    /// <inheritdoc/>
    public IEnumerable<Tensor> Values => _tensors.Values;

    /// <inheritdoc/>
    public int Count => _tensors.Count;

    /// <summary>The first tensor that is neither the labels nor the attention mask; null if there is none.</summary>
    public Tensor? Input => InputEntry?.Value;

    /// <summary>The tensor named <c>labels</c>, or <c>label</c> as TorchSharp's own datasets call it; null if there is none.</summary>
    public Tensor? Labels => _tensors.GetValueOrDefault(LabelsName) ?? _tensors.GetValueOrDefault("label");

    /// <summary>The tensor named <c>attention_mask</c>; null if there is none.</summary>
    public Tensor? AttentionMask => _tensors.GetValueOrDefault("attention_mask");

    internal KeyValuePair<string, Tensor>? InputEntry
    {
        get
        {
            foreach (var entry in _tensors)
            {
                if (!TensorName.IsLabels(entry.Key) && !TensorName.IsAttentionMask(entry.Key))
                {
                    return entry;
                }
            }

            return null;
        }
    }

    /// <summary>A tensor by its name; it stays the batch's.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name; the text lists those that there are.</exception>
    public Tensor this[string key] => _tensors.TryGetValue(key, out var tensor) ? tensor : throw new KeyNotFoundException(Errors.NoSuchTensor(key, _tensors.Keys));

    /// <summary>A tuple of data and labels is a batch.</summary>
    /// <param name="pair">Data, then labels; the labels may be null.</param>
    public static implicit operator Batch((Tensor X, Tensor? Labels) pair) => new(pair.X, pair.Labels);

    /// <summary>What a TorchSharp dataset yields is a batch.</summary>
    /// <param name="tensors">Names and tensors.</param>
    public static implicit operator Batch(Dictionary<string, Tensor> tensors) => new(tensors);

    /// <summary>Makes a batch of the elements a TorchSharp tensor dataset yields.</summary>
    /// <param name="elements">Data and labels.</param>
    /// <exception cref="ArgumentException">There are not exactly two elements.</exception>
    public static Batch FromList(IList<Tensor> elements)
    {
        ArgumentNullException.ThrowIfNull(elements);
        return elements.Count == 2
            ? new Batch(elements[0], elements[1])
            : throw new ArgumentException(Errors.TupleLength(elements.Count), nameof(elements));
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _tensors.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Tensor value) => _tensors.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator() => _tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>A batch of tensors of its own, on a device: data already there is shared, not copied. The caller disposes it.</summary>
    /// <param name="device">Where the tensors shall be.</param>
    /// <exception cref="ArgumentException">A tensor was disposed of, or cannot be brought there; the text names it.</exception>
    public Batch To(Device device) => Own(device, tensor => IsOn(tensor, device) ? tensor.alias() : tensor.to(device));

    /// <summary>As <see cref="To"/>, but nothing is shared: whoever made the tensors may write to them again.</summary>
    internal Batch CopyTo(Device device) => Own(device, tensor => IsOn(tensor, device) ? tensor.clone() : tensor.to(device));

    /// <summary>Names, types and shapes; no values.</summary>
    internal string Describe() => string.Join(", ", _tensors.Select(entry =>
        entry.Value.IsInvalid ? Errors.TensorGone(entry.Key) : Errors.TensorShape(entry.Key, entry.Value.dtype.ToString(), entry.Value.shape)));

    /// <exception cref="ArgumentException">A tensor was disposed of; the text names it.</exception>
    internal void ThrowIfDisposed()
    {
        foreach (var (name, tensor) in _tensors)
        {
            if (tensor.IsInvalid)
            {
                throw new ArgumentException(Errors.BatchEntryDisposed(name));
            }
        }
    }

    /// <summary>The same tensors without the labels; not to be disposed of, they stay this batch's.</summary>
    internal Batch WithoutLabels() => new(_tensors.Where(entry => !TensorName.IsLabels(entry.Key)));

    private Batch Own(Device device, Func<Tensor, Tensor> own)
    {
        ArgumentNullException.ThrowIfNull(device);
        ThrowIfDisposed();
        var owned = new List<KeyValuePair<string, Tensor>>();
        try
        {
            foreach (var (name, tensor) in _tensors)
            {
                owned.Add(KeyValuePair.Create(name, Move(name, tensor)));
            }

            return new Batch(owned);
        }
        catch
        {
            owned.ForEach(entry => entry.Value.Dispose());
            throw;
        }

        Tensor Move(string name, Tensor tensor)
        {
            try
            {
                return own(tensor);
            }
            catch (ExternalException exception)
            {
                throw new ArgumentException(Errors.BatchEntryElsewhere(name, tensor.device.ToString(), device.ToString(), exception.Message), exception);
            }
        }
    }

    // Tensor.to returns the same handle where nothing moves; a handle of our own may be disposed without touching the caller's.
    private static bool IsOn(Tensor tensor, Device device) =>
        tensor.device_type == device.type && (device.index < 0 || tensor.device_index == device.index);

    /// <summary>Disposes of the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
