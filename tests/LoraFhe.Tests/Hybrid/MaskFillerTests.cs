using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Tests.Hybrid;

public sealed class MaskFillerTests : IDisposable
{
    private readonly List<IDisposable> _made = [];
    private readonly EncryptedLinearClient[] _clients;
    private int _processId = 1;

    public MaskFillerTests() => _clients = [Client("a"), Client("b"), Client("c")];

    [Fact]
    public void What_came_once_is_expected_again_with_as_many_rows()
    {
        var forecast = new CallForecast();
        Assert.Empty(forecast.Upcoming());
        AddAll(forecast, (0, 5), (1, 5), (2, 2), (0, 5), (1, 5));
        Assert.Equal([Call(2, 2), Call(0, 5), Call(1, 5), Call(2, 2)], forecast.Upcoming());

        // Other rows: those that followed with as many do so again, the others have theirs.
        AddAll(forecast, (2, 2), (0, 9), (1, 9));
        Assert.Equal([Call(2, 2), Call(0, 9)], forecast.Upcoming().Take(2));
    }

    [Fact]
    public void A_layers_second_pass_is_told_from_its_first()
    {
        var forecast = new CallForecast();
        for (var step = 0; step < 2; step++)
        {
            AddAll(forecast, (0, 1), (1, 1), (1, 1), (2, 1));
        }

        Assert.Equal([Call(0, 1), Call(1, 1), Call(1, 1), Call(2, 1)], forecast.Upcoming().Take(4));
    }

    [Fact]
    public void A_repeated_sequence_finds_its_masks()
    {
        using var filler = Filler(new MasksAheadOptions());
        for (var step = 0; step < 5; step++)
        {
            foreach (var client in _clients)
            {
                using var mask = filler.Take(client, 3);

                // Two calls tell what comes: the second time round, they are there before the last.
                var isForeseen = step > 1 || (step == 1 && client == _clients[2]);
                Assert.Equal(isForeseen, mask is not null && mask.IsUsable && mask.Tokens == 3 && mask.Layer == client.Layer);
                filler.WaitUntilIdle();
            }
        }

        Assert.Equal(10, filler.Taken);
    }

    [Fact]
    public void Masks_hold_no_more_than_the_budget_over_many_calls()
    {
        var budget = 2 * _clients[0].MaskLength(8);
        using var filler = Filler(new MasksAheadOptions { MemoryBudget = budget });
        for (var call = 0; call < 400; call++)
        {
            using var mask = filler.Take(_clients[call % 3], 1 + (call / 30 % 8));
            Assert.InRange(filler.Length, 0, budget);
        }

        filler.WaitUntilIdle();
        Assert.InRange(filler.Length, 1, budget);
        Assert.True(filler.Taken > 0 || filler.Length > 0);
    }

    [Fact]
    public void A_budget_too_small_for_one_mask_makes_none()
    {
        using var filler = Filler(new MasksAheadOptions { MemoryBudget = 1 });
        for (var call = 0; call < 9; call++)
        {
            Assert.Null(filler.Take(_clients[call % 3], 2));
            filler.WaitUntilIdle();
        }

        Assert.Equal(0, filler.Length);
    }

    [Fact]
    public void Another_process_gets_none_of_them()
    {
        using var filler = Filler(new MasksAheadOptions());
        for (var call = 0; call < 6; call++)
        {
            filler.Take(_clients[call % 3], 2)?.Dispose();
        }

        filler.WaitUntilIdle();
        Assert.True(filler.Length > 0);
        var found = filler.Taken;
        _processId++;
        Assert.Null(filler.Take(_clients[0], 2));
        Assert.Equal(found, filler.Taken);
    }

    [Fact]
    public void Stopping_zeroes_what_waits_and_may_be_done_twice()
    {
        var filler = Filler(new MasksAheadOptions());
        for (var call = 0; call < 6; call++)
        {
            filler.Take(_clients[call % 3], 2)?.Dispose();
        }

        filler.WaitUntilIdle();
        using var waiting = filler.Take(_clients[0], 2);
        filler.Dispose();
        filler.Dispose();
        Assert.Equal(0, filler.Length);

        // What a call has taken is the call's.
        Assert.True(waiting!.IsUsable);
    }

    public void Dispose()
    {
        for (var i = _made.Count - 1; i >= 0; i--)
        {
            _made[i].Dispose();
        }
    }

    private MaskFiller Filler(MasksAheadOptions options) => new(options, new MaskClock(TimeProvider.System, () => _processId));

    private MaskedCall Call(int client, int tokens) => new(_clients[client], tokens);

    private void AddAll(CallForecast forecast, params ReadOnlySpan<(int Client, int Tokens)> calls)
    {
        foreach (var (client, tokens) in calls)
        {
            forecast.Add(Call(client, tokens));
        }
    }

    private EncryptedLinearClient Client(string name)
    {
        var layer = QuantizedLayer.Create("tests", name, 8, 2, 2, [100, 50, -20, 127], [1, 1]);
        var matrix = PublicMatrix.Expand(PublicMatrixSeed.Generate(), 2, TestContext.Current.CancellationToken);
        var hint = Hint.Make(layer, LayerDirection.Forward, matrix, 1, TestContext.Current.CancellationToken);
        var client = EncryptedLinearClient.Create(layer, LayerDirection.Forward, matrix, hint, maxThreads: 1);
        _made.AddRange([matrix, hint, client]);
        return client;
    }
}
