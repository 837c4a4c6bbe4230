namespace LoraFhe.Tools.Soak;

/// <summary>Tells what is under way, at most every few seconds.</summary>
internal sealed class ProgressLines(TextWriter output, string what)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private long? _last;

    public void Tell(string text)
    {
        if (_last is null || TimeProvider.System.GetElapsedTime(_last.Value) >= Pause)
        {
            output.WriteLine($"  {what}: {text}");
            _last = TimeProvider.System.GetTimestamp();
        }
    }
}
