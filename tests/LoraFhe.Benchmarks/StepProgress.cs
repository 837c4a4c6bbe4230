namespace LoraFhe.Benchmarks;

/// <summary>Tells of each step at once, on the thread that trains.</summary>
internal sealed class StepProgress(Action<int> done) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => done(value.GlobalStep);
}
