using System.Reflection;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The parameters of a module's <c>forward</c>, and the method to call it by.</summary>
internal sealed class ForwardSignature
{
    private const BindingFlags PublicInstance = BindingFlags.Public | BindingFlags.Instance;

    private readonly nn.Module _model;
    private readonly MethodInfo _method;
    private readonly ParameterInfo[] _parameters;
    private readonly bool[] _optional;

    private ForwardSignature(nn.Module model, MethodInfo method, ParameterInfo[] parameters, bool[] optional)
    {
        (_model, _method, _parameters, _optional) = (model, method, parameters, optional);
        ModelName = model.GetType().Name;
    }

    public string ModelName { get; }

    public bool TakesLabels => TakesBatch || LabelsIndex >= 0;

    public bool NeedsLabels => TakesBatch || (LabelsIndex >= 0 && !_optional[LabelsIndex]);

    // A model written for batches finds its tensors itself, labels among them.
    private bool TakesBatch => _parameters is [{ ParameterType: var only }] && only == typeof(Batch);

    private int LabelsIndex => Array.FindIndex(_parameters, p => TensorName.Comparer.Equals(p.Name, Batch.LabelsName));

    public static ForwardSignature Of(nn.Module model)
    {
        var name = model.GetType().Name;
        var methods = model.GetType().GetMethods(PublicInstance);

        // A user's class may have methods of the name as well; hooks run in the base's.
        var call = methods.FirstOrDefault(m => m.Name == "call" && m.DeclaringType!.Assembly == typeof(nn.Module).Assembly);
        var forwards = methods.Where(m => m.Name == "forward").ToArray();
        if (call is null && forwards.Length > 1)
        {
            throw new ArgumentException(Errors.SeveralForwards(name), nameof(model));
        }

        // `call` is the base's, so its parameters have the base's names; the override of `forward` has the user's.
        var forward = call is null ? forwards.FirstOrDefault() : Array.Find(forwards, m => SameTypes(m, call)) ?? call;
        if (forward is null)
        {
            throw new ArgumentException(Errors.NotCallable(name), nameof(model));
        }

        var parameters = forward.GetParameters();
        var nullability = new NullabilityInfoContext();
        foreach (var parameter in parameters)
        {
            var isBatch = parameters.Length == 1 && parameter.ParameterType == typeof(Batch);
            if (parameter.ParameterType != typeof(Tensor) && !isBatch && !parameter.HasDefaultValue)
            {
                throw new ArgumentException(Errors.ForwardArgumentType(name, parameter.Name ?? "", parameter.ParameterType.Name), nameof(model));
            }
        }

        var optional = Array.ConvertAll(parameters, p => p.HasDefaultValue || nullability.Create(p).ReadState == NullabilityState.Nullable);
        return new ForwardSignature(model, call ?? forward, parameters, optional);
    }

    private static bool SameTypes(MethodInfo one, MethodInfo other) =>
        one.GetParameters().Select(p => p.ParameterType).SequenceEqual(other.GetParameters().Select(p => p.ParameterType));

    public object? Call(Batch batch)
    {
        if (TakesBatch)
        {
            return Invoke(batch);
        }

        var taken = new HashSet<string>(TensorName.Comparer);
        var arguments = new object?[_parameters.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = Argument(i, batch, taken);
        }

        if (batch.Keys.FirstOrDefault(key => !taken.Contains(key) && !TensorName.IsLabels(key)) is { } unknown)
        {
            throw new ArgumentException(Errors.ForwardArgumentUnknown(ModelName, unknown, _parameters.Select(p => p.Name ?? "")), nameof(batch));
        }

        return Invoke(arguments);
    }

    private object? Invoke(params object?[] arguments) => _method.Invoke(_model, BindingFlags.DoNotWrapExceptions, null, arguments, null);

    private object? Argument(int index, Batch batch, HashSet<string> taken)
    {
        var parameter = _parameters[index];
        var name = parameter.Name ?? "";
        if (parameter.ParameterType == typeof(Tensor))
        {
            if (Find(name, batch, out var key) is { } named)
            {
                taken.Add(key);
                return named;
            }

            if (index == 0 && batch.InputEntry is { } input && !_parameters.Any(p => TensorName.Comparer.Equals(p.Name, input.Key)))
            {
                taken.Add(input.Key);
                return input.Value;
            }
        }

        return _optional[index]
            ? parameter.HasDefaultValue ? parameter.DefaultValue : null
            : throw new ArgumentException(Errors.ForwardArgumentMissing(ModelName, name, batch.Keys), nameof(batch));
    }

    private static Tensor? Find(string name, Batch batch, out string key)
    {
        key = name;
        return batch.TryGetValue(name, out var tensor) ? tensor : TensorName.Comparer.Equals(name, Batch.LabelsName) ? batch.Labels : null;
    }
}
