using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>A recorded run, run here: all that is compared with what was recorded.</summary>
internal sealed class Replay : IDisposable
{
    private readonly Dictionary<int, Dictionary<string, double>> _openNorms = [];
    private readonly List<string> _calls = [];
    private double _rate;

    /// <summary>Runs it to its end.</summary>
    /// <param name="name">The model and the run: <c>mlp/torch_skip1_ce_sgd</c>.</param>
    /// <param name="clear">Whether it runs in float arithmetic, whatever its mode was.</param>
    public Replay(string name, bool clear = false)
    {
        Recorded = new RecordedRun(name);
        var file = Lora.SetupLogger(Folder.At("training.log"));
        Trainer = Recorded.Trainer(Folder.At("ckpt"), new WatchedLogger(file, line => NoteFirstBatch(line.StartsWith("Step 1:", StringComparison.Ordinal))));
        _rate = Recorded.Optimizer.ParamGroups.Single().LearningRate;
        NoteCalls();
        if (!clear && Recorded.Config["compile"].AsBoolean)
        {
            Compile();
        }

        Train(clear ? HybridFheMode.Torch : Recorded.Mode);
        if (!clear && Recorded.Config["save_private"].AsBoolean)
        {
            Trainer.SaveAndClearPrivateInfo(Folder.At("dep"));
        }

        ((IDisposable)file).Dispose();
        Log = File.ReadAllLines(Folder.At("training.log"));
    }

    public RecordedRun Recorded { get; }

    public LoraTrainer Trainer { get; }

    /// <summary>Where it left its files: <c>ckpt</c>, <c>dep</c>, <c>training.log</c>.</summary>
    public TemporaryFolder Folder { get; } = new();

    /// <summary>The lines of its log file.</summary>
    public IReadOnlyList<string> Log { get; }

    /// <summary>What compiling returned; null if it was not compiled.</summary>
    public (int Epoch, int GlobalStep)? Compiled { get; private set; }

    /// <summary>The first batch's calls of remote modules with the shapes of input and output.</summary>
    public List<string> FirstCalls { get; } = [];

    /// <summary>The gradients after the first batch, by the names of the training module's parameters.</summary>
    public Dictionary<string, float[]> FirstGradients { get; } = [];

    /// <summary>After how many batches there was an update.</summary>
    public List<int> Updates { get; } = [];

    /// <summary>The rate of each update.</summary>
    public List<double> Rates { get; } = [];

    /// <summary>The rate after the last update.</summary>
    public double RateAfter => _rate;

    /// <summary>The adapters as they ended, by the names of the model's parameters.</summary>
    public Dictionary<string, float[]> Final { get; } = [];

    /// <summary>The norm of a parameter's gradient after a batch in the midst of a window: of the sum so far.</summary>
    public double OpenNorm(int step, string parameter) => _openNorms[step][parameter];

    /// <summary>The gradient of an adapter's parameter after the first batch.</summary>
    public float[] FirstGradient(string parameter) => FirstGradients["inference_model." + parameter];

    public void Dispose()
    {
        Trainer.Dispose();
        Recorded.Dispose();
        Folder.Dispose();
    }

    private void Compile()
    {
        Compiled = Trainer.Compile(
            Recorded.Inputset, Recorded.Config["n_bits"].AsInt32, Recorded.Config["use_dynamic_quantization"].AsBoolean, cancellationToken: Cancellation.Token);
        _calls.Clear();
    }

    private void Train(HybridFheMode mode)
    {
        Trainer.Train(Recorded.TrainBatches, Recorded.Epochs, mode, progress: new ImmediateProgress<TrainingProgress>(Note), cancellationToken: Cancellation.Token);
        foreach (var (name, parameter) in Trainable(Recorded.Model))
        {
            Final.Add(name, Values(parameter));
        }
    }

    private void NoteCalls()
    {
        foreach (var module in Trainer.HybridModel.RemoteModules)
        {
            module.register_forward_hook((_, input, output) =>
            {
                _calls.Add(RemoteCalls.Text(module.RemoteName, input.shape, output.shape));
                return output;
            });
        }
    }

    // Before the update, which clears them: when the step is logged, or the batch is done.
    private void NoteFirstBatch(bool isDone)
    {
        if (!isDone || FirstGradients.Count > 0)
        {
            return;
        }

        FirstCalls.AddRange(_calls);
        foreach (var (name, parameter) in Trainer.LoraTrainingModule.named_parameters().Where(entry => entry.parameter.grad is not null))
        {
            FirstGradients.Add(name, Values(parameter.grad!));
        }
    }

    private void Note(TrainingProgress done)
    {
        NoteFirstBatch(done.GlobalStep == 1);

        // After an update the gradients are zero, and the schedule has set the next rate.
        if (Recorded.Model.TrainableParameters().All(parameter => parameter.grad!.abs().sum().ToDouble() == 0))
        {
            Updates.Add(done.GlobalStep);
            Rates.Add(_rate);
            _rate = Recorded.Optimizer.ParamGroups.Single().LearningRate;
        }
        else
        {
            _openNorms.Add(done.GlobalStep, Trainable(Trainer.LoraTrainingModule).ToDictionary(entry => entry.Name, entry => entry.Parameter.grad!.norm().ToDouble()));
        }
    }

    private static float[] Values(Tensor tensor) => tensor.detach().contiguous().data<float>().ToArray();

    private static IEnumerable<(string Name, Parameter Parameter)> Trainable(nn.Module module) =>
        module.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => (entry.name, entry.parameter));
}
