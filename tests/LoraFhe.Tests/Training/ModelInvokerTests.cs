using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

public sealed class ModelInvokerTests : IDisposable
{
    private readonly Batch _batch = new(new Dictionary<string, Tensor> { ["input_ids"] = ones(2, 3), ["attention_mask"] = zeros(2, 3), ["labels"] = full(2, 5f) });

    [Fact]
    public void Parameters_get_the_tensors_of_their_names_in_camel_or_snake_case()
    {
        using var model = new Masked();
        var output = new ModelInvoker(model).Invoke(_batch);
        Assert.Same(_batch["input_ids"], model.Ids);
        Assert.Same(_batch["attention_mask"], model.Mask);
        Assert.Same(_batch["labels"], model.Targets);
        Assert.NotNull(output.Loss);
    }

    [Fact]
    public void A_nullable_parameter_may_have_no_tensor()
    {
        using var model = new Masked();
        using var ids = new Batch([new("input_ids", ones(1, 2))]);
        new ModelInvoker(model).Invoke(ids);
        Assert.Null(model.Mask);
        Assert.Null(model.Targets);
    }

    [Fact]
    public void A_module_of_one_parameter_takes_the_first_input_and_never_the_labels()
    {
        using var model = nn.Linear(3, 4);
        using Batch pair = (ones(2, 3), zeros(2));
        var invoker = new ModelInvoker(model);
        Assert.False(invoker.TakesLabels);
        Assert.Equal([2L, 4L], invoker.Invoke(pair).Logits!.shape);
    }

    [Fact]
    public void A_model_that_takes_a_batch_gets_the_whole_of_it()
    {
        using var model = new TakesBatch();
        var invoker = new ModelInvoker(model);

        var output = invoker.Invoke(_batch);

        Assert.True(invoker.TakesLabels);
        Assert.Same(_batch, model.Given);
        Assert.Same(_batch.Labels, output.Loss);
    }

    [Fact]
    public void A_parameter_without_a_tensor_is_named_with_what_the_batch_has()
    {
        using var model = new TwoInputs();
        using Batch pair = (ones(2), zeros(2));
        var error = Assert.Throws<ArgumentException>(() => new ModelInvoker(model).Invoke(pair));
        Assert.Contains("'TwoInputs' needs 'second' in forward; the batch has 'x', 'labels'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_without_a_parameter_is_named_with_the_parameters()
    {
        using var model = nn.Linear(3, 4);
        var error = Assert.Throws<ArgumentException>(() => new ModelInvoker(model).Invoke(_batch));
        Assert.Contains("'attention_mask' has no place in forward of 'Linear'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_is_no_tensor_and_has_no_default_is_refused_at_once()
    {
        using var model = new NeedsNumber();
        Assert.Contains("'count' of forward of 'NeedsNumber' is a Int32", Assert.Throws<ArgumentException>(() => new ModelInvoker(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_without_forward_is_refused()
    {
        using var list = nn.ModuleList<nn.Module>();
        Assert.Contains("no method 'forward'", Assert.Throws<ArgumentException>(() => new ModelInvoker(list)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hooks_of_the_model_run()
    {
        using var model = nn.Linear(3, 4);
        var ran = 0;
        model.register_forward_hook((_, _, output) =>
        {
            ran++;
            return output;
        });
        using Batch pair = (ones(2, 3), null);
        new ModelInvoker(model).Invoke(pair);
        Assert.Equal(1, ran);
    }

    [Fact]
    public void An_exception_of_the_model_arrives_as_it_was_thrown()
    {
        using var model = new Throws();
        using Batch pair = (ones(1), null);
        Assert.Equal("mine", Assert.Throws<TimeoutException>(() => new ModelInvoker(model).Invoke(pair)).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_tuple_the_scalar_is_the_loss(bool lossFirst)
    {
        using var model = new ReturnsTuple(lossFirst);
        using Batch pair = (ones(2, 3), null);
        var output = new ModelInvoker(model).Invoke(pair);
        Assert.Equal(0, output.Loss!.dim());
        Assert.Equal(2, output.Logits!.dim());
    }

    [Fact]
    public void A_dictionary_gives_loss_and_logits_by_name()
    {
        using var model = new ReturnsDictionary();
        using Batch pair = (ones(2, 3), null);
        var output = new ModelInvoker(model).Invoke(pair);
        Assert.Null(output.Loss);
        Assert.NotNull(output.Logits);
    }

    [Fact]
    public void Any_other_result_is_an_error_that_names_its_type()
    {
        using var model = new ReturnsText();
        using Batch pair = (ones(1), null);
        Assert.Contains("returned a String", Assert.Throws<InvalidOperationException>(() => new ModelInvoker(model).Invoke(pair)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_LoraModel_is_called_as_the_model_inside()
    {
        using var model = LoraModel.Apply(new Mlp([3, 4, 5, 2]), new LoraConfig { R = 1, TargetModules = ["fc1"] });
        using Batch pair = (ones(2, 3), null);
        Assert.Equal([2L, 2L], new ModelInvoker(model).Invoke(pair).Logits!.shape);
    }

    [Fact]
    public void Four_parameters_in_snake_case_get_the_tensors_of_their_names()
    {
        using var model = new FourInputs();
        using var batch = new Batch([new("labels", full(2, 5f)), new("token_type_ids", full(2, 3f)), new("attention_mask", full(2, 2f)), new("input_ids", ones(2))]);

        Assert.Equal(1235f, new ModelInvoker(model).Invoke(batch).Logits!.sum().item<float>());
    }

    [Fact]
    public void A_module_with_methods_of_the_same_names_is_called_by_its_base()
    {
        using var model = new Overloaded();
        using Batch pair = (ones(2, 3), null);
        var invoker = new ModelInvoker(model);

        Assert.False(invoker.TakesLabels);
        Assert.Equal(2f, invoker.Invoke(pair).Logits!.max().item<float>());
    }

    [Fact]
    public void Several_methods_forward_and_no_base_that_says_which_are_refused()
    {
        using var model = new Ambiguous();

        Assert.StartsWith("'Ambiguous' has several methods 'forward'", Assert.Throws<ArgumentException>(() => new ModelInvoker(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Typed_layers_of_an_adapted_model_are_reached_by_batch_and_by_function()
    {
        using var scope = NewDisposeScope();
        using var inner = new TypedLabelled();
        using var model = LoraModel.Apply(inner, new LoraConfig { R = 1, TargetModules = TargetModules.AllLinear }, seed: 1);
        using var batch = new Batch([new("hidden_states", ones(2, 3)), new("labels", zeros(2, 3))]);
        using var byName = new LoraTraining(model);
        using var byFunction = new LoraTraining(model, forwardFn: given =>
        {
            var (loss, logits) = inner.call(given["hiddenStates"], given.Labels);
            return new ModelOutput { Loss = loss, Logits = logits };
        });

        Assert.Equal(byName.call(batch).Loss.item<float>(), byFunction.call(batch).Loss.item<float>());
        Assert.All(model.AdaptedLayers, layer => Assert.NotNull(layer.Layer.B().grad));
    }

    [Fact]
    public void A_function_is_given_the_whole_batch()
    {
        var invoker = new ModelInvoker(batch => new ModelOutput { Loss = batch.Labels });
        Assert.Same(_batch.Labels, invoker.Invoke(_batch).Loss);
    }

    public void Dispose() => _batch.Dispose();

    private sealed class Masked() : nn.Module<Tensor, Tensor?, Tensor?, ModelOutput>(nameof(Masked))
    {
        public Tensor? Ids { get; private set; }

        public Tensor? Mask { get; private set; }

        public Tensor? Targets { get; private set; }

        public override ModelOutput forward(Tensor inputIds, Tensor? attentionMask, Tensor? labels)
        {
            (Ids, Mask, Targets) = (inputIds, attentionMask, labels);
            return new ModelOutput { Loss = labels?.sum() };
        }
    }

    private sealed class TwoInputs() : nn.Module<Tensor, Tensor, Tensor>(nameof(TwoInputs))
    {
        public override Tensor forward(Tensor first, Tensor second) => first + second;
    }

    private sealed class FourInputs() : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor>(nameof(FourInputs))
    {
        public override Tensor forward(Tensor input_ids, Tensor attention_mask, Tensor token_type_ids, Tensor labels) =>
            ((input_ids * 1000) + (attention_mask * 100) + (token_type_ids * 10) + labels).mul(0.5) + ((labels - 5).abs() * 1e9);
    }

    private sealed class Overloaded() : nn.Module<Tensor, Tensor>(nameof(Overloaded))
    {
        private readonly float _factor = 2;

        public override Tensor forward(Tensor x) => x * _factor;

        public Tensor forward(Tensor x, Tensor labels) => x * labels * _factor;

        public Tensor call(Tensor x, Tensor labels, int times) => forward(x, labels) * times;
    }

    private sealed class Ambiguous() : nn.Module(nameof(Ambiguous))
    {
        private readonly float _factor = 2;

        public Tensor forward(Tensor x) => x * _factor;

        public Tensor forward(Tensor x, Tensor labels) => x * labels * _factor;
    }

    private sealed class TypedLabelled : nn.Module<Tensor, Tensor?, (Tensor? Loss, Tensor Logits)>
    {
        private readonly TorchSharp.Modules.Linear fc1 = nn.Linear(3, 3);
        private readonly TorchSharp.Modules.Linear fc2 = nn.Linear(3, 3);

        public TypedLabelled() : base(nameof(TypedLabelled)) => RegisterComponents();

        public override (Tensor? Loss, Tensor Logits) forward(Tensor hiddenStates, Tensor? labels)
        {
            var logits = fc2.call(fc1.call(hiddenStates).relu());
            return (labels is null ? null : nn.functional.mse_loss(logits, labels), logits);
        }
    }

    private sealed class NeedsNumber() : nn.Module<Tensor, int, Tensor>(nameof(NeedsNumber))
    {
        public override Tensor forward(Tensor x, int count) => x * count;
    }

    private sealed class Throws() : nn.Module<Tensor, Tensor>(nameof(Throws))
    {
        public override Tensor forward(Tensor x) => throw new TimeoutException("mine");
    }

    private sealed class ReturnsTuple(bool lossFirst) : nn.Module<Tensor, (Tensor, Tensor)>(nameof(ReturnsTuple))
    {
        public override (Tensor, Tensor) forward(Tensor x) => lossFirst ? (x.sum(), x) : (x, x.sum());
    }

    private sealed class ReturnsDictionary() : nn.Module<Tensor, Dictionary<string, Tensor>>(nameof(ReturnsDictionary))
    {
        public override Dictionary<string, Tensor> forward(Tensor x) => new() { ["logits"] = x };
    }

    private sealed class ReturnsText() : nn.Module<Tensor, string>(nameof(ReturnsText))
    {
        public override string forward(Tensor x) => "";
    }

    private sealed class TakesBatch() : nn.Module<Batch, ModelOutput>(nameof(TakesBatch))
    {
        public Batch? Given { get; private set; }

        public override ModelOutput forward(Batch inputs)
        {
            Given = inputs;
            return new ModelOutput { Loss = inputs.Labels };
        }
    }
}
