// A backend of your own. Execute mode asks an IFheBackend for every product of a frozen layer, and does not care how it comes by the
// result: OwnBackend.cs is a whole one, in the clear. This program trains the same network twice: in execute, through that backend, and in
// disable, which computes from the same integers in libtorch. It shows what the backend was asked, and that the losses agree.
//
//   dotnet run -c Release --project samples/03_OwnBackend
//
// It takes no arguments and a second or two. Exit codes: 0 the losses agree; 1 they do not; 2 there was an argument.
using System.Globalization;
using LoraFhe;
using LoraFhe.Samples.OwnBackend;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 0)
{
    Console.Error.WriteLine($"'{args[0]}' was not understood. Expected no arguments.");
    return 2;
}

using var backend = new OwnBackend();
var execute = Losses(HybridFheMode.Execute, backend);
var disable = Losses(HybridFheMode.Disable, backend);

Console.WriteLine("What the backend was asked in the first step:");
foreach (var call in backend.Calls.Take(3)) // Two products of fc2: a gradient must pass through it on its way to fc1's adapter.
{
    var (from, to) = ($"[{call.Tokens}, {call.Inputs}]", $"[{call.Tokens}, {call.Outputs}]");
    Console.WriteLine($"  {call.Layer.Name} {call.Layer.Direction,-8} {from} -> {to}, largest number {call.Largest:G3}");
}

var traffic = backend.Traffic;
Console.WriteLine($"In all {traffic.Calls} calls: {traffic.BytesUp >> 10} KiB up, {traffic.BytesDown >> 10} KiB down.");

Console.WriteLine("Loss of a step   execute     disable");
for (var step = 0; step < execute.Count; step += 8)
{
    Console.WriteLine($"  {step + 1,4}           {execute[step]:F7}   {disable[step]:F7}");
}

var difference = execute.Zip(disable, (a, b) => Math.Abs(a - b)).Max();
Console.WriteLine($"Largest difference: {difference:G2}");
return difference < 1e-5 ? 0 : 1;

// Equal seeds make equal networks, data and order: what differs is how the frozen layers are computed.
static IReadOnlyList<double> Losses(HybridFheMode mode, OwnBackend backend)
{
    random.manual_seed(1);
    var x = randn(256, 2);
    var inside = x.square().sum(1).lt(1.4).to(int64);
    Batch[] batches = [.. Enumerable.Range(0, 4).Select(i => new Batch(x.narrow(0, 64 * i, 64), inside.narrow(0, 64 * i, 64)))];

    using var model = LoraModel.Apply(new Mlp(), new LoraConfig { R = 4, LoraAlpha = 8, TargetModules = ["fc1", "fc2"] });
    using var optimizer = optim.Adam(model.TrainableParameters(), 1e-2);
    using var trainer = new LoraTrainer(
        model, optimizer, (logits, labels) => nn.functional.cross_entropy(logits, labels), backend: backend, logger: NullLogger.Instance);
    trainer.Compile(batches[0], nBits: 8);
    trainer.Train(batches, numEpochs: 10, fhe: mode);
    return trainer.GetTrainingLosses();
}
