namespace LoraFhe.Tests;

public sealed class LoraConfigTests
{
    [Fact]
    public void The_defaults_are_pefts()
    {
        var config = new LoraConfig();

        Assert.Equal((8, 8.0, 0.0), (config.R, config.LoraAlpha, config.LoraDropout));
        Assert.Equal((LoraBias.None, false, false), (config.Bias, config.UseRslora, config.FanInFanOut));
        Assert.Equal(InitLoraWeights.KaimingUniform, config.InitLoraWeights);
        Assert.True(config.TargetModules is null && config.ExcludeModules is null && config.TaskType is null);
        Assert.Empty(config.RankPattern);
        Assert.Empty(config.AlphaPattern);
        Assert.Empty(config.Validate());
    }

    public static TheoryData<string, LoraConfig> Faults => new()
    {
        { "R is 0; a rank is at least 1.", new() { R = 0 } },
        { "R is -3; a rank is at least 1.", new() { R = -3 } },
        { "LoraAlpha is NaN; it must be finite.", new() { LoraAlpha = double.NaN } },
        { "LoraDropout is 1; it must be at least 0 and less than 1.", new() { LoraDropout = 1 } },
        { "LoraDropout is NaN; it must be at least 0 and less than 1.", new() { LoraDropout = double.NaN } },
        { "Bias is 7, which is none of its values; expected one of None, All, LoraOnly.", new() { Bias = (LoraBias)7 } },
        { "InitLoraWeights is 9, which is none of its values; expected one of KaimingUniform, Gaussian, Random, Orthogonal, Pissa, Olora.", new() { InitLoraWeights = (InitLoraWeights)9 } },
        { "TaskType is 42, which is none of its values; expected one of CausalLm, ", new() { TaskType = (TaskType)42 } },
        { "TargetModules is an empty list; name at least one module, or leave it null.", new() { TargetModules = [] } },
        { "TargetModules holds an empty name.", new() { TargetModules = [""] } },
        { "TargetModules: '(q|v' is not a regular expression", new() { TargetModules = TargetModules.Pattern("(q|v") } },
        { "TargetModules: 'a)|(b' is not a regular expression", new() { TargetModules = TargetModules.Pattern("a)|(b") } },
        { "ExcludeModules is all-linear", new() { ExcludeModules = TargetModules.AllLinear } },
        { "RankPattern['q_proj'] is 0; a rank is at least 1.", new() { RankPattern = new() { ["q_proj"] = 0 } } },
        { "RankPattern: '*' is not a regular expression", new() { RankPattern = new() { ["*"] = 1 } } },
        { "AlphaPattern['q_proj'] is Infinity; it must be finite.", new() { AlphaPattern = new() { ["q_proj"] = double.PositiveInfinity } } },
        { "LayersToTransform holds -1; layers count from 0.", new() { LayersToTransform = [-1] } },
        { "LayersToTransform is set and TargetModules is a regular expression.", new() { LayersToTransform = [0], TargetModules = TargetModules.Pattern("q") } },
        { "LayersPattern is set without LayersToTransform", new() { LayersPattern = ["h"] } },
        { "ModulesToSave holds an empty name.", new() { ModulesToSave = ["lm_head", ""] } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Each_fault_names_its_option(string expected, LoraConfig config)
    {
        Assert.StartsWith(expected, Assert.Single(config.Validate()), StringComparison.Ordinal);

        using var model = new SimpleMlp();
        var error = Assert.Throws<ArgumentException>(nameof(config), () => LoraModel.Apply(model, config));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_reported_together()
    {
        var faults = new LoraConfig { R = 0, LoraDropout = 2, TargetModules = [] }.Validate();

        Assert.Equal(3, faults.Count);
    }

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_given_up()
    {
        using var model = new Deep();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(model, new LoraConfig { TargetModules = TargetModules.Pattern("(a+)+b") }));

        Assert.StartsWith("TargetModules: matching", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Target_modules_are_written_as_a_list_or_made_from_an_array()
    {
        TargetModules fromList = ["fc1", "fc2"];
        TargetModules fromArray = new[] { "fc1", "fc2" };

        Assert.Equal(fromList.Names, fromArray.Names);
        Assert.Equal("'fc1', 'fc2'", fromList.ToString());
        Assert.Equal("all-linear", TargetModules.AllLinear.ToString());
        Assert.Equal("'.*fc'", TargetModules.Pattern(".*fc").ToString());
    }

    private sealed class Deep : TorchSharp.torch.nn.Module
    {
        private readonly TorchSharp.torch.nn.Module _layer = TorchSharp.torch.nn.Linear(1, 1);

        public Deep() : base(nameof(Deep)) => register_module(new string('a', 40), _layer);
    }
}
