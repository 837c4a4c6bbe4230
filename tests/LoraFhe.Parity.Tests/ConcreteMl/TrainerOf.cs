using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>A model, its optimizer and its trainer, disposed of together.</summary>
internal sealed class TrainerOf<TModel> : IDisposable
    where TModel : nn.Module
{
    public TrainerOf(TModel model, Func<TModel, optim.Optimizer> optimizer, Func<TModel, optim.Optimizer, LoraTrainer> trainer)
    {
        Model = model;
        Optimizer = optimizer(model);
        Trainer = trainer(model, Optimizer);
    }

    public TModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public LoraTrainer Trainer { get; }

    public void Dispose()
    {
        Trainer.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
    }
}
