namespace LoraFhe.Samples.Tests;

public sealed class OwnBackendTests
{
    [Fact]
    public void A_users_backend_is_asked_for_each_product_and_trains_to_the_losses_of_disable()
    {
        var (exitCode, output, error) = SampleProgram.OwnBackend();

        Assert.True(exitCode == 0, output + error);
        Assert.Empty(error);
        Assert.Contains("fc1 Forward  [64, 2] -> [64, 64]", output, StringComparison.Ordinal);
        Assert.Contains("fc2 Forward  [64, 64] -> [64, 2]", output, StringComparison.Ordinal);
        Assert.Contains("fc2 Backward [64, 2] -> [64, 64]", output, StringComparison.Ordinal);

        // 40 steps of three products, each 64 rows of 4 bytes a number.
        Assert.Contains($"120 calls: {40 * 64 * 4 * (2 + 64 + 2) / 1024} KiB up, {40 * 64 * 4 * (64 + 2 + 64) / 1024} KiB down", output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_argument_is_refused_in_one_line()
    {
        var (exitCode, output, error) = SampleProgram.OwnBackend("--fhe", "execute");

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains("'--fhe'", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
