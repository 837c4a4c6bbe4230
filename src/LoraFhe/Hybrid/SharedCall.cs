using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One forward product of layers that share their input: what each takes of it, and where its gradient goes.</summary>
/// <remarks>A part is taken once: a layer that is called again computes again, as it would alone. Nothing here belongs to a dispose scope.</remarks>
internal sealed class SharedCall : IDisposable
{
    // The output says which product it is a part of, so that whoever attaches it to the graph need not be told.
    private static readonly ConditionalWeakTable<Tensor, SharedCall> Calls = new();

    private readonly FrozenLayer _layer;
    private readonly HybridFheMode _mode;
    private readonly bool[] _taken;
    private readonly long _version;

    // Null once all parts are taken.
    private Tensor? _input;
    private Tensor? _rows;
    private Tensor? _product;

    private SharedGradient.Call? _gradient;
    private Tensor?[] _places = [];

    /// <summary>A product that nobody has taken a part of.</summary>
    /// <param name="layer">What made it.</param>
    /// <param name="input">The layers' input.</param>
    /// <param name="rows">It as the product took it; copied.</param>
    /// <param name="mode">The mode it was made in.</param>
    /// <param name="product">Float32 [..., outputs]; owned from now on.</param>
    public SharedCall(FrozenLayer layer, Tensor input, Tensor rows, HybridFheMode mode, Tensor product)
    {
        (_layer, _input, _mode) = (layer, input, mode);
        _version = TensorVersion.Of(input);
        _rows = rows.clone().DetachFromDisposeScope();
        _product = product.DetachFromDisposeScope();
        _taken = new bool[layer.Parts.Count];
    }

    /// <summary>The product that an output was taken from, or null.</summary>
    public static SharedCall? Of(Tensor output) => Calls.TryGetValue(output, out var call) ? call : null;

    /// <summary>Whether a layer's part is here, and what it would compute: from the same tensor, unchanged since, in the same mode.</summary>
    /// <remarks>libtorch's count tells of changes that a gradient would flow through, the values of those that were written past it.</remarks>
    public bool Serves(FrozenLayer layer, LayerPart part, Tensor input, Tensor rows, HybridFheMode mode) =>
        ReferenceEquals(layer, _layer) && ReferenceEquals(input, _input) && mode == _mode && !_taken[part.Index]
        && TensorVersion.Of(input) == _version && HasValues(rows);

    /// <summary>A layer's part, a view in the caller's scope.</summary>
    public Tensor Take(LayerPart part)
    {
        _taken[part.Index] = true;
        var own = _product!.narrow(-1, part.First, part.Count);
        if (!_taken.Contains(false))
        {
            LetGo();
        }

        return own;
    }

    /// <summary>Notes what a layer gives out, if it may be put into the graph.</summary>
    public Tensor Note(Tensor output, Tensor input)
    {
        if (input.requires_grad)
        {
            Calls.Add(output, this);
        }

        return output;
    }

    /// <summary>The place in the graph that a layer's gradient goes to: an input of its own, of its output's shape and without values, that leads to the shared one.</summary>
    /// <returns>The caller's, or null if nobody wants the gradient, or if the input's own place in the graph has changed.</returns>
    public Tensor? Place(LayerPart part, Tensor input, Func<Tensor, Tensor> backward, BackwardFault fault)
    {
        if (!input.requires_grad || !is_grad_enabled())
        {
            return null;
        }

        if (_gradient is null)
        {
            _gradient = new SharedGradient.Call(_layer, input, fault);
            _places = SharedGradient.Attach(input, _gradient);
        }

        if (input.is_leaf != _gradient.IsLeaf)
        {
            return null;
        }

        _gradient.Backward[part.Index] = backward;
        var place = _places[part.Index];
        _places[part.Index] = null;
        if (Array.TrueForAll(_places, left => left is null))
        {
            _gradient = null;
        }

        return place;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LetGo();
        foreach (var place in _places)
        {
            place?.Dispose();
        }

        _gradient = null;
    }

    private bool HasValues(Tensor rows)
    {
        var isSame = rows.numel() == _rows!.numel() && rows.bytes.SequenceEqual(_rows.bytes);
        GC.KeepAlive(rows);
        return isSame;
    }

    private void LetGo()
    {
        _product?.Dispose();
        _rows?.Dispose();
        (_input, _rows, _product) = (null, null, null);
    }
}
