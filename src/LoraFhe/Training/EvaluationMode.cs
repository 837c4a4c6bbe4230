using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Puts a model in evaluation mode without a graph; disposing puts back what was.</summary>
internal sealed class EvaluationMode : IDisposable
{
    private readonly nn.Module _model;
    private readonly bool _wasTraining;
    private readonly IDisposable _noGrad;

    public EvaluationMode(nn.Module model)
    {
        _model = model;
        _wasTraining = model.training;
        _noGrad = no_grad();
        model.eval();
    }

    public void Dispose()
    {
        if (_wasTraining)
        {
            _model.train();
        }

        _noGrad.Dispose();
    }
}
