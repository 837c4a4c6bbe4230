using System.Runtime.ExceptionServices;
using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>A thread in the background that makes masks for the calls that are expected next, and the masks it has made.</summary>
/// <remarks>
/// It sleeps until a call tells it where the training is, and again when the budget is used or nothing is expected. A call whose mask is not there, or is another's, is encrypted as ever, so that
/// a wrong forecast costs idle time and nothing else. What goes wrong in the background is thrown by the next call.
/// </remarks>
internal sealed class MaskFiller : IDisposable
{
    private readonly MasksAheadOptions _options;
    private readonly MaskClock _clock;
    private readonly Thread _thread;
    private readonly object _turn = new();
    private readonly CallForecast _forecast = new();
    private readonly MaskShelf _shelf = new();
    private MaskMoment _moment;
    private ExceptionDispatchInfo? _fault;
    private int _taken;
    private bool _isIdle;
    private bool _isStopping;

    /// <summary>Starts the thread; it has nothing to do yet.</summary>
    public MaskFiller(MasksAheadOptions options, MaskClock clock)
    {
        _options = options;
        _clock = clock;
        _moment = clock.Now();
        _thread = new Thread(Fill) { Name = "LoraFhe masks", IsBackground = true, Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    /// <summary>Bytes of the masks that wait.</summary>
    public long Length
    {
        get
        {
            lock (_turn)
            {
                return _shelf.Length;
            }
        }
    }

    /// <summary>Calls so far that found their mask.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Tells of a call that begins, and gives it its mask, if that is there. The caller disposes it.</summary>
    /// <exception cref="Exception">Whatever went wrong in the background.</exception>
    public MaskAhead? Take(EncryptedLinearClient client, int tokens)
    {
        lock (_turn)
        {
            _fault?.Throw();
            DropAllIfInterrupted();
            var call = new MaskedCall(client, tokens);
            _forecast.Add(call);
            var mask = _shelf.Take(call);
            _taken += mask is null ? 0 : 1;
            _isIdle = false;
            Monitor.PulseAll(_turn);
            return mask;
        }
    }

    /// <summary>Waits until the thread sleeps for want of work, for tests.</summary>
    public void WaitUntilIdle()
    {
        lock (_turn)
        {
            while (!_isIdle && _fault is null)
            {
                Monitor.Wait(_turn);
            }
        }
    }

    /// <summary>Ends the thread, after the mask it is at, and zeroes all masks.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _isStopping = true;
            Monitor.PulseAll(_turn);
        }

        _thread.Join();
        _shelf.Clear();
    }

    private void Fill()
    {
        while (WaitForWork() is { } call)
        {
            try
            {
                var mask = call.Client.MakeMask(call.Tokens, _options.MaxAge, maxThreads: 1);
                lock (_turn)
                {
                    _shelf.Add(call, mask);
                }
            }
            catch (Exception exception)
            {
                Fail(exception);
                return;
            }
        }
    }

    /// <summary>The next mask to make; null when it is time to stop.</summary>
    private MaskedCall? WaitForWork()
    {
        lock (_turn)
        {
            while (!_isStopping)
            {
                if (NextMissing() is { } call)
                {
                    return call;
                }

                _isIdle = true;
                Monitor.PulseAll(_turn);
                Monitor.Wait(_turn);
            }

            return null;
        }
    }

    /// <summary>The first call of the forecast that has no mask, if there is room for it.</summary>
    private MaskedCall? NextMissing()
    {
        var needed = new Dictionary<MaskedCall, int>();
        foreach (var call in _forecast.Upcoming())
        {
            needed[call] = needed.GetValueOrDefault(call) + 1;
            if (_shelf.Count(call) >= needed[call])
            {
                continue;
            }

            var length = call.Client.MaskLength(call.Tokens);
            while (_shelf.Length + length > _options.MemoryBudget)
            {
                if (!_shelf.DropOne(needed))
                {
                    return null;
                }
            }

            return call;
        }

        return null;
    }

    /// <summary>Keeps the fault for the next call; no mask outlives it.</summary>
    private void Fail(Exception exception)
    {
        lock (_turn)
        {
            _fault = ExceptionDispatchInfo.Capture(exception);
            _shelf.Clear();
            Monitor.PulseAll(_turn);
        }
    }

    /// <summary>Between two calls the clocks came apart, or the process is another: whatever happened, no mask of before is used.</summary>
    private void DropAllIfInterrupted()
    {
        var now = _clock.Now();
        if (!_clock.IsContinuous(_moment, now))
        {
            _shelf.Clear();
        }

        _moment = now;
    }
}
