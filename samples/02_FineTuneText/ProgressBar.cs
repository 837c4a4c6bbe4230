using System.Globalization;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>A bar that is drawn again on a terminal; in a file, about ten lines.</summary>
internal sealed class ProgressBar(string what) : IDisposable
{
    private const int MostColumns = 30;
    private const int LeastColumns = 5;

    // Until a few were timed, a guess of what is left is a bad one.
    private const int StepsBeforeGuess = 3;
    private const int LinesInFile = 10;

    private readonly long _begun = TimeProvider.System.GetTimestamp();
    private int _first = -1;
    private TimeSpan _untilFirst;
    private bool _lineIsOpen;

    /// <summary>Reports that <paramref name="done"/> of <paramref name="total"/> are done.</summary>
    public void Show(int done, int total, string state)
    {
        if (_first < 0)
        {
            (_first, _untilFirst) = (done, TimeProvider.System.GetElapsedTime(_begun));
        }

        var numbers = string.Create(CultureInfo.InvariantCulture, $"{done}/{total}  {state}{Left(done, total)}");
        if (Screen.Moves)
        {
            Draw(done, total, numbers);
        }
        else if (done == total || done % Math.Max(1, total / LinesInFile) == 0)
        {
            Screen.Line($"  {what} {numbers}");
        }
    }

    /// <summary>Ends the bar's line, full or not, so that something else can be said.</summary>
    public void Dispose()
    {
        if (_lineIsOpen)
        {
            _lineIsOpen = false;
            Screen.Line();
        }
    }

    private string Left(int done, int total)
    {
        if (!Screen.Moves || done - _first < StepsBeforeGuess || done == total)
        {
            return "";
        }

        var left = (TimeProvider.System.GetElapsedTime(_begun) - _untilFirst) / (done - _first) * (total - done);
        return left.TotalSeconds < 120
            ? string.Create(CultureInfo.InvariantCulture, $"  {left.TotalSeconds:F0} s left")
            : string.Create(CultureInfo.InvariantCulture, $"  {left.TotalMinutes:F0} min left");
    }

    // A line that is too long would wrap, and the next drawing would begin one line too low.
    private void Draw(int done, int total, string numbers)
    {
        var columns = Math.Clamp(Screen.Width - what.Length - numbers.Length - 4, LeastColumns, MostColumns);
        var filled = total == 0 ? columns : (int)((long)columns * done / total);
        var (full, rest) = (new string('█', filled), new string('░', columns - filled));
        var room = Screen.Width - what.Length - columns - 4;
        var text = numbers.Length > room ? numbers[..Math.Max(0, room)] : numbers;
        var bar = Screen.HasColors ? $"\u001b[32m{full}\u001b[90m{rest}\u001b[0m" : full + rest;
        Console.Write($"\r  {what} {bar} {text}\u001b[K");
        _lineIsOpen = true;
    }
}
