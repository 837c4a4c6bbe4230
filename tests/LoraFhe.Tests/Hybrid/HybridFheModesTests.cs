namespace LoraFhe.Tests.Hybrid;

public sealed class HybridFheModesTests
{
    [Theory]
    [InlineData("disable", HybridFheMode.Disable)]
    [InlineData("simulate", HybridFheMode.Simulate)]
    [InlineData("execute", HybridFheMode.Execute)]
    [InlineData("torch", HybridFheMode.Torch)]
    [InlineData("Execute", HybridFheMode.Execute)]
    public void The_Python_names_parse(string name, HybridFheMode mode)
    {
        Assert.Equal(mode, HybridFheModes.Parse(name));
        Assert.Equal(name, mode.ToPythonName(), ignoreCase: true);
    }

    [Theory]
    [InlineData("foo")]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("remote")]
    public void Another_name_is_refused_with_the_four_that_exist(string name)
    {
        var exception = Assert.Throws<ArgumentException>(() => HybridFheModes.Parse(name));

        Assert.StartsWith(
            $"'{name}' is not a valid HybridFheMode; it is one of 'disable', 'simulate', 'execute', 'torch'.", exception.Message, StringComparison.Ordinal);
        Assert.False(HybridFheModes.TryParse(name, out _));
    }

    [Fact]
    public void A_number_that_is_no_mode_has_no_name() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ((HybridFheMode)9).ToPythonName());
}
