using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The parameters of a module that training changes, by name, each once.</summary>
internal sealed class TrainableParameters(nn.Module module)
{
    private readonly (string Name, Parameter Parameter)[] _all = [.. Of(module)];

    /// <summary>Names as <c>named_parameters</c> gives them, in registration order.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> All => _all;

    private static IEnumerable<(string Name, Parameter Parameter)> Of(nn.Module module) =>
        DistinctParameters.Of(module.named_parameters()).Where(entry => entry.Parameter.requires_grad);

    /// <summary>Throws if an adapter is trained now that was not when this list was made: another one was set.</summary>
    /// <exception cref="InvalidOperationException">One is; the text names a parameter of it.</exception>
    public void EnsureComplete()
    {
        var known = _all.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        if (Of(module).Select(entry => entry.Name).FirstOrDefault(name => LoraNames.AnyLora(name) && !known.Contains(name)) is { } added)
        {
            throw new InvalidOperationException(Errors.TrainableSince(added));
        }
    }

    /// <summary>Throws if the parameters are gone.</summary>
    /// <exception cref="InvalidOperationException">The model was disposed of.</exception>
    public void EnsureAlive(nn.Module model)
    {
        if (_all.Any(entry => entry.Parameter.IsInvalid))
        {
            throw new InvalidOperationException(Errors.ModelDisposed(model.GetType()));
        }
    }

    /// <summary>Whether any has a gradient.</summary>
    public bool AnyGradient()
    {
        foreach (var (_, parameter) in _all)
        {
            using var gradient = parameter.grad;
            if (gradient is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The L2 norm of each gradient there is, fetched from the device at once.</summary>
    public IReadOnlyList<(string Name, double Norm)> GradientNorms()
    {
        using var scope = NewDisposeScope();
        var names = new List<string>(_all.Length);
        var norms = new List<Tensor>(_all.Length);
        foreach (var (name, parameter) in _all)
        {
            using var gradient = parameter.grad;
            if (gradient is not null)
            {
                names.Add(name);
                norms.Add(gradient.norm());
            }
        }

        if (norms.Count == 0)
        {
            return [];
        }

        // Not every device has double precision.
        var type = norms.Exists(norm => norm.dtype == ScalarType.Float64) ? ScalarType.Float64 : ScalarType.Float32;
        var all = stack(norms.ConvertAll(norm => norm.dtype == type ? norm : norm.to(type))).cpu().to(ScalarType.Float64).data<double>();
        var results = new (string Name, double Norm)[names.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = (names[i], all[i]);
        }

        return results;
    }

    /// <summary>Multiplies every gradient; by exactly 1 does nothing.</summary>
    public void ScaleGradients(double factor)
    {
        if (factor == 1.0)
        {
            return;
        }

        foreach (var (_, parameter) in _all)
        {
            using var gradient = parameter.grad;
            gradient?.mul_(factor).Dispose();
        }
    }

    /// <summary>Those that an optimizer does not own, whose gradients it does not clear.</summary>
    public IReadOnlyList<Parameter> NotOf(optim.Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        var owned = optimizer.parameters().Select(parameter => parameter.Handle).ToHashSet();
        return [.. _all.Select(entry => entry.Parameter).Where(parameter => !owned.Contains(parameter.Handle))];
    }

    /// <summary>Scales all gradients down to a common L2 norm if they are longer, by min(1, max / (norm + 1e-6)) as PyTorch does.</summary>
    public void ClipGradients(double maxNorm) => nn.utils.clip_grad_norm_(_all.Select(entry => entry.Parameter), maxNorm);
}
