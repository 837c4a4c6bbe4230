namespace LoraFhe;

/// <content>Where training falls back to if it ends by an exception.</content>
public sealed partial class LoraTrainer
{
    /// <summary>What was done up to here stays done.</summary>
    private void CommitUpdate()
    {
        _boundary = _position;
        _gradientStats.Confirm();
        _lastUpdate.Take();
    }

    /// <summary>Undoes what came after the last update; calling Train again goes on from there with the same numbers.</summary>
    private void FallBack(Exception exception)
    {
        var undone = _position.GlobalStep - _boundary.GlobalStep;
        if (undone > 0)
        {
            _trainingLosses.RemoveRange(_trainingLosses.Count - undone, undone);
        }

        _gradientStats.Revert();
        _position = _boundary;
        _window.Reset();
        _lastUpdate.PutBack();
        _resumedRandomState = _lastUpdate.RandomState;
        if (exception is not OperationCanceledException)
        {
            Log.TrainingFailed(Logger, exception.GetType().Name, _boundary.GlobalStep);
        }
    }

    private void SaveIfOwed()
    {
        if (_saveIsOwed)
        {
            SaveIfWanted();
        }
    }
}
