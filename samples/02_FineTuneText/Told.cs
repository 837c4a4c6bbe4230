namespace LoraFhe.Samples.FineTuneText;

/// <summary>Progress told on the thread that makes it, in order; the base library's posts it elsewhere.</summary>
internal sealed class Told<T>(Action<T> tell) : IProgress<T>
{
    public void Report(T value) => tell(value);
}
