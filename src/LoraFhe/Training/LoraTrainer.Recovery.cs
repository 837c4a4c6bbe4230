namespace LoraFhe;

/// <content>Where training falls back to if it ends by an exception.</content>
public sealed partial class LoraTrainer
{
    // Entries of the gradient statistics that belong to the window under way.
    private readonly List<(string Name, int Count)> _uncommitted = [];

    /// <summary>What was done up to here stays done.</summary>
    private void CommitUpdate()
    {
        _boundary = _position;
        _uncommitted.Clear();
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

        foreach (var (name, count) in _uncommitted)
        {
            _gradientStats[name].RemoveRange(_gradientStats[name].Count - count, count);
        }

        _uncommitted.Clear();
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
