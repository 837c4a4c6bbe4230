using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using LoraFhe.Models;
using LoraFhe.Safetensors;
using LoraFhe.Tests.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>A recorded run: makes its model, optimizer, schedule, arguments and data, and gives what came out.</summary>
internal sealed class RecordedTrajectory : IDisposable
{
    private const string Initial = "step0";
    private readonly Golden _golden;

    public RecordedTrajectory(string name)
    {
        _golden = Golden.Open("trajectories/" + name);
        Name = name;
        ParameterNames = [.. Parameters(Initial, "params").Select(entry => entry.Name).Order(StringComparer.Ordinal)];
    }

    public string Name { get; }

    public GoldenJson Expected => _golden.Expected;

    /// <summary>The steps of the run, or of the loop beside transformers' Trainer.</summary>
    public IReadOnlyList<GoldenJson> Steps => [.. Expected[Expected.Has("steps") ? "steps" : "manual_steps"].Items];

    public Tolerances Tolerances => Tolerances.Of(Expected["tolerance_abs"]);

    /// <summary>What is trained, sorted, by its names in <c>params.safetensors</c>.</summary>
    public IReadOnlyList<string> ParameterNames { get; }

    /// <summary>What the losses of a window were divided by; a run without accumulation states none, and has windows of one.</summary>
    public LossScaling Scaling => !Expected.Has("loss_scaling") ? LossScaling.Window : Expected["loss_scaling"].AsString switch
    {
        "full" => LossScaling.Full,
        "window" => LossScaling.Window,
        "tokens" => LossScaling.Tokens,
        "tokens_unshifted" => LossScaling.TokensUnshifted,
        var other => throw new InvalidDataException($"'{other}' is no recorded loss scaling."),
    };

    public int AccumulationSteps => Expected["gradient_accumulation"].AsInt32;

    public double? MaxGradNorm => Expected["max_grad_norm"].IsNull ? null : Expected["max_grad_norm"].AsDouble;

    /// <summary>Whether the linear layers' weights are stored [in, out], so that an output channel is a column.</summary>
    public bool HasColumnScales => Expected["kind"].AsString == "gpt2";

    /// <summary>The loss, where the model does not compute it itself.</summary>
    public Func<Tensor, Tensor, Tensor>? LossFn =>
        IsMlp ? (logits, labels) => nn.functional.cross_entropy(logits, labels) : null;

    /// <summary>The base model, with the recorded integers times their scales in place of its frozen weights if it is to be so.</summary>
    public nn.Module BaseModel(bool dequantized)
    {
        var path = Expected["base"].AsString;
        nn.Module model = IsMlp ? SmallNetwork(path[..path.LastIndexOf('/')]) : CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture(path.Split('/')));
        if (dequantized)
        {
            foreach (var (name, parameter) in model.named_parameters())
            {
                Dequantize(name, parameter);
            }
        }

        return model;
    }

    /// <summary>Puts the initial adapter on a model as on any of peft's: from a folder.</summary>
    public LoraModel Adapt(nn.Module model)
    {
        using var folder = new TemporaryFolder();
        var config = JsonNode.Parse(Expected["lora_config"].Element.GetRawText())!.AsObject();
        config["peft_type"] = "LORA";
        folder.Write("adapter_config.json", config.ToJsonString());
        SafetensorsWriter.Write(folder.At("adapter_model.safetensors"), Parameters(Initial, "params").Select(entry =>
        {
            // A magnitude is a parameter of a module of its own while it is trained, and not in a file.
            const string magnitude = "lora_magnitude_vector";
            var name = entry.Name.EndsWith(magnitude + ".weight", StringComparison.Ordinal) ? entry.Name[..^".weight".Length] : entry.Name;
            return SafetensorsTensor.FromSingles(name, entry.Values.Shape, Array.ConvertAll(entry.Values.Values, value => (float)value));
        }));
        return LoraModel.FromPretrained(model, folder.Path, isTrainable: true);
    }

    public optim.Optimizer Optimizer(LoraModel model)
    {
        var options = Expected["optimizer"];
        var rate = options["lr"].AsDouble;
        return options["name"].AsString switch
        {
            "sgd" => optim.SGD(
                model.TrainableParameters(), rate, Number(options, "momentum"), weight_decay: Number(options, "weight_decay"),
                nesterov: options.Has("nesterov") && options["nesterov"].AsBoolean),
            "adamw" => optim.AdamW(
                model.TrainableParameters(), rate, options["betas"][0].AsDouble, options["betas"][1].AsDouble,
                options["eps"].AsDouble, options["weight_decay"].AsDouble),
            var other => throw new InvalidDataException($"'{other}' is no recorded optimizer."),
        };
    }

    public LRScheduler? Schedule(optim.Optimizer optimizer)
    {
        var options = Expected["schedule"];
        return options.IsNull ? null : options["name"].AsString switch
        {
            "linear" => Schedules.LinearWithWarmup(optimizer, options["warmup"].AsInt32, options["total"].AsInt32),
            "cosine" => Schedules.CosineWithWarmup(optimizer, options["warmup"].AsInt32, options["total"].AsInt32),
            "constant_with_warmup" => Schedules.ConstantWithWarmup(optimizer, options["warmup"].AsInt32),
            var other => throw new InvalidDataException($"'{other}' is no recorded schedule."),
        };
    }

    /// <summary>The micro batches in order; the caller disposes of them.</summary>
    public List<Batch> Batches(ScalarType type)
    {
        using var data = SafetensorsFile.Open(RepositoryFolder.Fixture(Expected["data_file"].AsString.Split('/')));
        return [.. Enumerable.Range(0, Expected["num_micro_batches"].AsInt32).Select(i => Batch(data, $"micro{i}", type))];
    }

    /// <summary>Parameters, or an optimizer's state, as they were stored: <c>step5</c> of <c>params</c>, <c>exp_avg</c> of <c>state10</c>.</summary>
    public IEnumerable<(string Name, GoldenTensor<double> Values)> Parameters(string prefix, string file) => _golden.Tensors(file).Entries
        .Where(entry => entry.Name.StartsWith(prefix + ".", StringComparison.Ordinal))
        .Select(entry => (entry.Name[(prefix.Length + 1)..], _golden.Doubles(file, entry.Name)));

    /// <summary>The steps after which parameters were stored.</summary>
    public IReadOnlySet<int> StoredSteps(string file) => _golden.Tensors(file).Entries
        .Select(entry => int.Parse(entry.Name.AsSpan("step".Length, entry.Name.IndexOf('.', StringComparison.Ordinal) - "step".Length), provider: null))
        .ToHashSet();

    public GoldenTensor<float> Singles(string file, string name) => _golden.Singles(file, name);

    public GoldenTensor<long> Int64s(string file, string name) => _golden.Int64s(file, name);

    public void Dispose() => _golden.Dispose();

    private bool IsMlp => Expected["kind"].AsString == "mlp";

    private static Mlp SmallNetwork(string name)
    {
        using var golden = Golden.Open(name);
        var config = golden.Json("config.json");
        Assert.Equal(("y = fc3(act(fc2(act(fc1(x)))))", "tanh"), (config["architecture"].AsString, config["activation"].AsString));
        var hidden = config["hidden"].AsInt32;
        var model = new Mlp([config["in"].AsInt32, hidden, hidden, config["out"].AsInt32], x => x.tanh());
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (parameterName, parameter) in model.named_parameters())
        {
            parameter.copy_(golden.SingleTensor("model", parameterName));
        }

        return model;
    }

    private static double Number(GoldenJson options, string key) => options.Has(key) ? options[key].AsDouble : 0;

    private static Batch Batch(SafetensorsFile data, string micro, ScalarType type)
    {
        if (data.Contains(micro + ".x"))
        {
            return new Batch(
                tensor(data.ReadSingles(micro + ".x"), [.. data.Entry(micro + ".x").Shape]).to(type), tensor(data.ReadInt64s(micro + ".y")));
        }

        string[] names = ["input_ids", "attention_mask", "labels"];
        return new Batch(names.Select(name => KeyValuePair.Create(
            name, tensor(data.ReadInt64s($"{micro}.{name}"), [.. data.Entry($"{micro}.{name}").Shape]))));
    }

    private void Dequantize(string parameterName, Parameter parameter)
    {
        const string weight = ".weight";
        var module = parameterName[..^parameterName.Split('.')[^1].Length].TrimEnd('.');
        if (!parameterName.EndsWith(weight, StringComparison.Ordinal) || !Expected["int8"]["modules"].AsStrings.Contains(module))
        {
            return;
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var codes = Int64s("int8", module + ".qweight");
        var scales = tensor(Singles("int8", module + ".scale").Values);
        parameter.copy_(tensor(codes.Values, codes.Shape).to(float32) * (HasColumnScales ? scales : scales.unsqueeze(1)));
    }
}
