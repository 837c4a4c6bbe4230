// The first tutorial of Concrete ML's LoRA module, on TorchSharp: adapt a trained network to private data that the holder of its weights
// never sees.
//
//   dotnet run -c Release --project samples/01_LoraMlp            # a few seconds; --help lists the options
//
// A network of two linear layers is trained in the clear to tell the inner of two circles from the outer. A data owner has two other
// circles, which it gets wrong. LoRA adapters are trained on them while the network's own weights stay frozen, and what passes through the
// frozen layers, activations and gradients, is encrypted.
//
// Exit codes: 0 done; 1 a frozen weight changed, which must not happen; 2 an argument was wrong; 130 stopped by Ctrl-C.
using System.Globalization;
using System.Runtime.InteropServices;
using LoraFhe;
using LoraFhe.Samples.LoraMlp;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Contains("--help"))
{
    Console.WriteLine(Options.Help);
    return 0;
}

var (options, fault) = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(fault);
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = !stop.IsCancellationRequested; // Once more ends the process at once.
    stop.Cancel();
});
try
{
    return Run(options, stop.Token) ? 0 : 1;
}
catch (OperationCanceledException)
{
    Console.WriteLine("Stopped.");
    return 130;
}

static bool Run(Options options, CancellationToken stop)
{
    random.manual_seed(options.Seed);
    var (x, y, radius) = (1.0, 0.5, 1.5);
    var (first, firstHeldOut) = (TwoCircles.Draw(500, 1, 0, 0), TwoCircles.Draw(200, 1, 0, 0));
    var (second, secondHeldOut) = (TwoCircles.Draw(500, radius, x, y), TwoCircles.Draw(200, radius, x, y));

    Console.WriteLine("Task 1: two circles around (0, 0), of radius 0.5 and 1. Trained in the clear.");
    var mlp = new SimpleMlp();
    Pretrain(mlp, first, options.Seed, stop);
    Console.WriteLine($"  accuracy on held-out points  {firstHeldOut.Accuracy(mlp):P1}");
    var frozen = mlp.parameters().Select(parameter => (Parameter: parameter, Before: parameter.detach().clone())).ToList();

    // From here on it is the reference's code, line by line. A rank of 1 adds 260 numbers to the network's 642.
    using var model = LoraModel.Apply(mlp, new LoraConfig { R = 1, LoraAlpha = 1, LoraDropout = 0.01, TargetModules = ["fc1", "fc2"] });
    using var optimizer = optim.Adam(model.TrainableParameters(), 1e-2);
    using var trainer = new LoraTrainer(
        model, optimizer, lossFn: (logits, labels) => nn.functional.cross_entropy(logits, labels), logger: NullLogger.Instance);
    trainer.Compile((second.Points[..32], second.Labels[..32]), nBits: 8, cancellationToken: stop);

    var mode = options.Mode.ToPythonName();
    Console.WriteLine($"Task 2: two circles around ({x}, {y}), of radius {radius / 2} and {radius}. Tuned with LoRA, mode {mode}.");
    Console.WriteLine($"  before                       {Accuracy():P1}");
    var mapBefore = Map();
    for (var epoch = 1; epoch <= options.Epochs; epoch++)
    {
        using var loader = second.Loader(options.Seed + epoch);
        var done = trainer.GetTrainingLosses().Count;
        trainer.Train(loader, numEpochs: 1, fhe: options.Mode, cancellationToken: stop);
        Console.WriteLine($"  epoch {epoch,4}  loss {trainer.GetTrainingLosses().Skip(done).Average():F4}    {Accuracy():P1}");
    }

    Console.WriteLine($"  after                        {Accuracy():P1}");
    Console.WriteLine("Its decisions before and after (':' inner circle), with the held-out points ('x' inner circle, 'o' outer):");
    foreach (var (left, right) in mapBefore.Zip(Map()))
    {
        Console.WriteLine($"  {left}  |  {right}".TrimEnd());
    }

    var unchanged = frozen.All(entry => entry.Parameter.equal(entry.Before).all().item<bool>());
    var traffic = trainer.HybridModel.Backend.Traffic;
    Console.WriteLine($"The network's own weights are {(unchanged ? "unchanged" : "CHANGED")}.");
    Console.WriteLine($"{traffic.Calls} encrypted products: {traffic.BytesUp >> 10} KiB up, {traffic.BytesDown >> 10} KiB down.");
    return unchanged;

    double Accuracy() => InEvaluation(() => secondHeldOut.Accuracy(mlp));
    string[] Map() => InEvaluation(() => DecisionMap.Draw(mlp, secondHeldOut, x, y, 1.5 * radius));

    // Held-out points are as private as the others: they go through the frozen layers as training does.
    T InEvaluation<T>(Func<T> evaluate)
    {
        mlp.eval();
        return trainer.HybridModel.Run(options.Mode, evaluate);
    }
}

static void Pretrain(SimpleMlp mlp, TwoCircles set, int seed, CancellationToken stop)
{
    using var optimizer = optim.Adam(mlp.parameters(), 1e-2);
    for (var epoch = 0; epoch < 20; epoch++)
    {
        using var loader = set.Loader(seed + epoch);
        foreach (var batch in loader)
        {
            stop.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            nn.functional.cross_entropy(mlp.call(batch[0]), batch[1]).backward();
            optimizer.step();
        }
    }
}
