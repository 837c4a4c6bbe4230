using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Batches that do not fit: one error that says which and how; no adapter changes, and the trainer goes on.</summary>
public sealed class BatchFaultTests
{
    private const long Class = 2;

    public static TheoryData<string, HybridFheMode, string> Refused
    {
        get
        {
            var data = new TheoryData<string, HybridFheMode, string>();
            foreach (var mode in Enum.GetValues<HybridFheMode>())
            {
                data.Add("integers", mode, "Int64");
                data.Add("truth values", mode, "Bool");
                data.Add("complex", mode, "ComplexFloat32");
                data.Add("too wide", mode, "Layer 'fc1' takes [..., 6]; the input is [4, 7]");
                data.Add("no dimension", mode, "[..., 6]; the input is []");
                data.Add("sparse", mode, "'x' Float32 [4, 6]");
                data.Add("more labels", mode, "'labels' Int64 [5]");
                data.Add("labels beyond the classes", mode, "lossFn");
                data.Add("negative labels", mode, "lossFn");
                data.Add("real labels", mode, "'labels' Float32 [4]");
                data.Add("32-bit labels", mode, "'labels' Int32 [4]");
                data.Add("labels of two dimensions", mode, "'labels' Int64 [4, 2]");
                data.Add("no labels", mode, "no tensor named 'labels'");
                data.Add("disposed data", mode, "'x' was disposed of");
                data.Add("disposed labels", mode, "'labels' was disposed of");
                data.Add("data without content", mode, "'x' is on 'meta'");
                data.Add("no input", mode, "'Mlp' needs 'x'");
                data.Add("one tensor too many", mode, "'other' has no place");
            }

            data.Add("half precision", HybridFheMode.Torch, "'x' Float16 [4, 6]");
            data.Add("double precision", HybridFheMode.Torch, "'x' Float64 [4, 6]");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_does_not_fit_is_an_ArgumentException_that_says_how_and_training_goes_on(string fault, HybridFheMode mode, string says)
    {
        using var scope = NewDisposeScope();
        using var run = Compiled(mode);
        var weights = run.Weights();

        var error = Assert.Throws<ArgumentException>(() => Train(run, mode, Faulty(fault)));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Equal(weights, run.Weights());
        Assert.Empty(run.Losses);
        Train(run, mode, run.Inputset, run.Inputset);
        Assert.Equal(2, run.Losses.Count);
        Assert.NotEqual(weights, run.Weights());
    }

    public static TheoryData<string, HybridFheMode> NotFinite
    {
        get
        {
            var data = new TheoryData<string, HybridFheMode>();
            foreach (var mode in Enum.GetValues<HybridFheMode>())
            {
                foreach (var fault in new[] { "not numbers", "one that is not a number", "infinite", "no rows", "labels that are all ignored" })
                {
                    data.Add(fault, mode);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NotFinite))]
    public void What_gives_no_finite_loss_is_an_error_that_names_the_step_before_an_adapter_changes(string fault, HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var run = Compiled(mode, dropout: 0);
        var before = run.Weights();

        var error = Assert.Throws<NotFiniteNumberException>(() => Train(run, mode, run.Inputset, run.Inputset, Faulty(fault)));

        Assert.StartsWith("Step 3: ", error.Message, StringComparison.Ordinal);
        var after = run.Weights();
        Assert.NotEqual(before, after);
        Assert.All(after, weight => Assert.True(float.IsFinite(weight)));
        Assert.Equal(2, run.Losses.Count);
        Train(run, mode, run.Inputset, run.Inputset, run.Inputset);
        Assert.Equal(3, run.Losses.Count);
    }

    public static TheoryData<string, HybridFheMode> Taken
    {
        get
        {
            var data = new TheoryData<string, HybridFheMode>();
            foreach (var mode in Enum.GetValues<HybridFheMode>())
            {
                foreach (var kind in new[] { "columns first", "a single row", "zeros", "denormals", "huge", "every second column", "broadcast" })
                {
                    data.Add(kind, mode);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Taken))]
    public void What_is_odd_but_right_is_taken_in_every_mode(string kind, HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var run = Compiled(mode);
        Train(run, mode, Odd(kind));
        Assert.True(double.IsFinite(Assert.Single(run.Losses)));
        Assert.All(run.Weights(), weight => Assert.True(float.IsFinite(weight)));
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    public void Where_the_elements_lie_in_memory_changes_nothing(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var expected = Compiled(mode, dropout: 0);
        using var run = Compiled(mode, dropout: 0);
        Train(expected, mode, expected.Inputset);
        Train(run, mode, new Batch(run.Inputset.Input!.t().contiguous().t(), run.Inputset.Labels));
        Assert.Equal(expected.Losses, run.Losses);
        Assert.Equal(expected.Weights(), run.Weights());
    }

    [Fact]
    public void A_loss_whose_gradient_is_not_finite_is_an_error_that_names_the_parameter()
    {
        using var run = new SmallRun(lossFn: (logits, _) => ((logits - logits.detach()).abs() + 0).sqrt().mean());
        var weights = run.Weights();
        var error = Assert.Throws<NotFiniteNumberException>(() => Train(run, HybridFheMode.Torch, run.Inputset));
        Assert.Matches(@"^Step 1: The gradient of '.*lora_[AB]\.default\.weight' is not finite", error.Message);
        Assert.Equal(weights, run.Weights());
    }

    private static SmallRun Compiled(HybridFheMode mode, double dropout = 0.2)
    {
        var run = new SmallRun(dropout: dropout, arguments: new TrainingArguments());
        if (mode != HybridFheMode.Torch)
        {
            using var batch = run.Inputset;
            run.Trainer.Compile(batch, cancellationToken: Cancellation.Token);
        }

        return run;
    }

    private static void Train(SmallRun run, HybridFheMode mode, params Batch[] batches) =>
        run.Trainer.Train(batches, 1, mode, cancellationToken: Cancellation.Token);

    private static Batch Faulty(string fault) => fault switch
    {
        "integers" => (ones(4, 6, dtype: ScalarType.Int64), Labels()),
        "truth values" => (ones(4, 6, dtype: ScalarType.Bool), Labels()),
        "half precision" => (ones(4, 6, dtype: ScalarType.Float16), Labels()),
        "double precision" => (ones(4, 6, dtype: ScalarType.Float64), Labels()),
        "complex" => (ones(4, 6, dtype: ScalarType.ComplexFloat32), Labels()),
        "too wide" => (ones(4, 7), Labels()),
        "no dimension" => (tensor(1f), Labels()),
        "sparse" => (ones(4, 6).to_sparse(), Labels()),
        "more labels" => (ones(4, 6), full(5, Class, dtype: ScalarType.Int64)),
        "labels beyond the classes" => (ones(4, 6), full(4, 3L, dtype: ScalarType.Int64)),
        "negative labels" => (ones(4, 6), full(4, -1L, dtype: ScalarType.Int64)),
        "real labels" => (ones(4, 6), ones(4)),
        "32-bit labels" => (ones(4, 6), ones(4, dtype: ScalarType.Int32)),
        "labels of two dimensions" => (ones(4, 6), ones(4, 2, dtype: ScalarType.Int64)),
        "no labels" => (ones(4, 6), null),
        "disposed data" => (Disposed(ones(4, 6)), Labels()),
        "disposed labels" => (ones(4, 6), Disposed(Labels())),
        "data without content" => (empty(4, 6, device: META), Labels()),
        "no input" => new Dictionary<string, Tensor> { ["labels"] = Labels() },
        "one tensor too many" => new Dictionary<string, Tensor> { ["x"] = ones(4, 6), ["other"] = ones(1), ["labels"] = Labels() },
        "not numbers" => (full(4, 6, float.NaN), Labels()),
        "one that is not a number" => (cat([ones(4, 5), full(4, 1, float.NaN)], 1), Labels()),
        "infinite" => (full(4, 6, float.NegativeInfinity), Labels()),
        "no rows" => (ones(0, 6), ones(0, dtype: ScalarType.Int64)),
        "labels that are all ignored" => (ones(4, 6), full(4, -100L, dtype: ScalarType.Int64)),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static Batch Odd(string kind) => kind switch
    {
        "columns first" => (ones(6, 4).t(), Labels()),
        "a single row" => (ones(6), tensor(Class)),
        "zeros" => (zeros(4, 6), Labels()),
        "denormals" => (full(4, 6, 1e-42f), Labels()),
        "huge" => (full(4, 6, 1e37f), Labels()),
        "every second column" => (ones(4, 12).slice(1, 0, 12, 2), Labels()),
        "broadcast" => (ones(1, 6).expand(4, 6), Labels()),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    private static Tensor Labels() => full(4, Class, dtype: ScalarType.Int64);

    private static Tensor Disposed(Tensor tensor)
    {
        tensor.Dispose();
        return tensor;
    }
}
